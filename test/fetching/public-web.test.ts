import { getEventListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { PublicWeb } from '../../src/contract/public-web.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import type { Dialer, Target } from '../../src/fetching/dial.ts';
import { createPublicWeb } from '../../src/fetching/public-web.ts';
import { until, within } from '../http/support.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** One server stands for the whole internet: whatever is dialled leads there, and is written down. */
const dialled: Target[] = [];
const resolved: string[] = [];
let names: Record<string, readonly string[]> = {};
let unreachable: readonly string[] = [];
let answer: Answer = (_, response) => response.end('hello');
const server = createServer((request, response) => answer(request, response));

const dial: Dialer = (target) =>
  new Promise((resolve, reject) => {
    dialled.push(target);
    if (unreachable.includes(target.address)) {
      reject(new Error('unreachable'));
      return;
    }
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = connect({ host: '127.0.0.1', port }, () => resolve(socket));
  });

function createWeb(rules: { own?: readonly string[]; timers?: typeof systemTimers } = {}): PublicWeb {
  return createPublicWeb({
    resolve: async (hostname) => {
      resolved.push(hostname);
      const found = names[hostname];
      if (!found) throw new Error(`ENOTFOUND ${hostname}`);
      return found;
    },
    dial,
    ownAddresses: () => rules.own ?? [],
    timers: rules.timers ?? systemTimers,
  });
}

const limits = { maxBytes: 1000, timeoutMs: 5000 };
const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** The refusal, and that nobody was asked. */
async function refusal(work: Promise<unknown>): Promise<string> {
  const error = await within('refusal', work).then(
    () => new Error('it was fetched'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ServeError)) throw error;
  expect(error.code).toBe('invalid_request');
  return error.message;
}

beforeEach(async () => {
  dialled.length = 0;
  resolved.length = 0;
  names = { 'site.example': ['8.8.8.8'], 'other.example': ['9.9.9.9'] };
  unreachable = [];
  answer = (_, response) => response.end('hello');
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('what is never dialled', () => {
  it.each([
    'http://127.0.0.1/',
    'http://127.1:8080/',
    'http://0x7f000001/',
    'http://2130706433/',
    'http://017700000001/',
    'http://0/',
    'http://127.0.0.1./',
    'http://[::1]/',
    'http://[::]/',
    'http://[::ffff:127.0.0.1]/',
    'http://[::ffff:7f00:1]/',
    'http://[64:ff9b::7f00:1]/',
    'http://[fd00::1]/',
    'http://[fe80::1]/',
    'http://169.254.169.254/latest/meta-data/',
    'http://10.1.2.3/',
    'http://192.168.0.1/',
    'http://100.64.0.1/',
    'https://１２７.０.０.１/',
    'http://①②⑦.0.0.1/',
  ])('an address inside: %s', async (url) => {
    expect(await refusal(createWeb().download(url, limits))).toMatch(/no address of the public internet/);
    expect(dialled).toEqual([]);
    expect(resolved).toEqual([]);
  });

  it.each([
    'file:///etc/passwd',
    'ftp://site.example/',
    'data:text/plain,hello',
    'gopher://site.example/',
    'blob:http://site.example/1',
    'javascript:1',
    'http://user:secret@site.example/',
    'http://user@site.example/',
    'http://',
    'site.example',
    '',
    '//site.example/',
  ])('what is no plain web address: %s', async (url) => {
    expect(await refusal(createWeb().download(url, limits))).not.toContain('secret');
    expect(dialled).toEqual([]);
    expect(resolved).toEqual([]);
  });

  it.each([
    ['a name of this machine', ['127.0.0.1']],
    ['a name of the inner network', ['10.0.0.7']],
    ['a name with one inner address among public ones', ['8.8.8.8', '192.168.1.1']],
    ['a name with a mapped address', ['::ffff:8.8.8.8']],
    ['a name with what is no address', ['site.example']],
    ['a name without addresses', []],
  ])('%s', async (_, addresses) => {
    names = { 'site.example': addresses };
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/no address of the public/);
    expect(dialled).toEqual([]);
  });

  it('an unknown name, in the words of an inner one', async () => {
    names = { 'known.corp': ['10.0.0.1'] };
    const web = createWeb();
    const known = await refusal(web.download('http://known.corp/', limits));
    const unknown = await refusal(web.download('http://unknown.corp/', limits));
    expect(known.replace('known', '')).toBe(unknown.replace('unknown', ''));
    expect(dialled).toEqual([]);
  });

  it("a public address of this machine's own", async () => {
    names = { 'site.example': ['2606:4700:0:0::1'] };
    const web = createWeb({ own: ['2606:4700::1'] });
    expect(await refusal(web.download('http://site.example/', limits))).toMatch(/no address of the public internet/);
    expect(dialled).toEqual([]);
  });

  it.each([
    ['an address inside', 'http://127.0.0.1:8080/internal/stats'],
    ['a name inside', 'http://inner.corp/'],
    ['another scheme', 'file:///etc/passwd'],
    ['no URL', 'http://'],
  ])('behind a redirect: %s', async (_, location) => {
    names = { ...names, 'inner.corp': ['10.0.0.1'] };
    answer = (_request, response) => response.writeHead(302, { location }).end();
    await refusal(createWeb().download('http://site.example/', limits));
    expect(dialled.map(({ address }) => address)).toEqual(['8.8.8.8']);
  });

  it('a name that answers otherwise the second time: it is asked once, and connected to as it was checked', async () => {
    const answers = [['8.8.8.8'], ['127.0.0.1']];
    const web = createPublicWeb({
      resolve: async () => answers.shift() ?? [],
      dial,
      ownAddresses: () => [],
      timers: systemTimers,
    });
    await web.download('http://rebind.example/', limits);
    expect(answers).toHaveLength(1);
    expect(dialled).toEqual([{ address: '8.8.8.8', port: 80, tlsName: undefined }]);
    expect(await refusal(web.download('http://rebind.example/', limits))).toMatch(/no address of the public/);
    expect(dialled).toHaveLength(1);
  });
});

describe('what is fetched', () => {
  it('the content, with its type and the place where it was found', async () => {
    answer = ({ url }, response) => {
      if (url === '/old?a=1') response.writeHead(301, { location: 'http://other.example:81/new' }).end();
      else response.writeHead(200, { 'content-type': 'text/plain' }).end(`at ${url}`);
    };
    const { bytes, ...found } = await createWeb().download('http://site.example/old?a=1', limits);
    expect(text(bytes)).toBe('at /new');
    expect(found).toEqual({ contentType: 'text/plain', url: 'http://other.example:81/new' });
    expect(dialled.map(({ address, port }) => `${address}:${port}`)).toEqual(['8.8.8.8:80', '9.9.9.9:81']);
  });

  it('over TLS by the name of the URL, at the address that was checked', async () => {
    await createWeb().download('https://site.example/', limits);
    expect(dialled).toEqual([{ address: '8.8.8.8', port: 443, tlsName: 'site.example' }]);
  });

  it('from the next address where the first cannot be reached', async () => {
    names = { 'site.example': ['2606:4700::1', '8.8.8.8'] };
    unreachable = ['2606:4700::1'];
    await createWeb().download('http://site.example/', limits);
    expect(dialled.map(({ address }) => address)).toEqual(['2606:4700::1', '8.8.8.8']);
    unreachable = ['2606:4700::1', '8.8.8.8'];
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/could not be reached/);
  });

  it('with the name as Host, and with the keys of the request at its own origin alone', async () => {
    const seen: IncomingMessage['headers'][] = [];
    answer = ({ headers, url }, response) => {
      seen.push(headers);
      const location = { '/1': '/2', '/2': 'http://other.example/3' }[url ?? ''];
      if (location === undefined) response.end();
      else response.writeHead(307, { location }).end();
    };
    const { body } = await createWeb().open({
      url: 'http://site.example/1',
      headers: { Authorization: 'Bearer secret', 'X-Api-Key': 'secret', Accept: 'text/html' },
      timeoutMs: 5000,
    });
    for await (const chunk of body) expect(chunk).toBeUndefined();
    expect(seen.map(({ host, authorization, accept }) => [host, authorization, accept])).toEqual([
      ['site.example', 'Bearer secret', 'text/html'],
      ['site.example', 'Bearer secret', 'text/html'],
      ['other.example', undefined, 'text/html'],
    ]);
    expect(seen[2]?.['x-api-key']).toBeUndefined();
  });

  it('a POST, within its origin only', async () => {
    const bodies: string[] = [];
    answer = (request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        bodies.push(Buffer.concat(chunks).toString());
        const location = { '/1': '/2', '/2': 'http://other.example/' }[request.url ?? ''] ?? '';
        response.writeHead(308, { location }).end();
      });
    };
    const opened = createWeb().open({ url: 'http://site.example/1', method: 'POST', body: 'secret', timeoutMs: 5000 });
    expect(await refusal(opened)).toMatch(/sends a POST elsewhere/);
    expect(bodies).toEqual(['secret', 'secret']);
    expect(dialled.map(({ address }) => address)).toEqual(['8.8.8.8', '8.8.8.8']);
  });
});

describe('limits', () => {
  it('ends redirects that lead in circles', async () => {
    answer = (_, response) => response.writeHead(302, { location: 'http://site.example/' }).end();
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/without an end/);
    expect(dialled).toHaveLength(6);
  });

  it('refuses what says that it is too large, without reading it', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-length': '1001' }).write('x');
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/larger than 1000 bytes/);
  });

  it('stops reading what is too large without saying so', async () => {
    let closed = false;
    answer = (_, response) => {
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', more);
      response.on('close', () => {
        closed = true;
      });
      more();
    };
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/larger than 1000 bytes/);
    await until('the connection is closed', () => closed);
  });

  it('counts what is packed when it is unpacked', async () => {
    const packed = gzipSync('x'.repeat(1_000_000));
    expect(packed.length).toBeLessThan(2000);
    answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(packed);
    const small = { ...limits, maxBytes: 100_000 };
    expect(await refusal(createWeb().download('http://site.example/', small))).toMatch(/larger than 100000 bytes/);
    const { bytes } = await createWeb().download('http://site.example/', { ...limits, maxBytes: 1_000_000 });
    expect(bytes).toHaveLength(1_000_000);
  });

  it('refuses what is not packed as it says, and what breaks off', async () => {
    answer = (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end('no gzip');
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/broke off/);
    answer = (_, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half');
      response.socket?.end();
    };
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/broke off/);
  });

  it('refuses an answer that is no success', async () => {
    answer = (_, response) => response.writeHead(404).end('nothing here');
    expect(await refusal(createWeb().download('http://site.example/', limits))).toMatch(/status 404/);
  });

  it('names the field that has the URL', async () => {
    const failed = createWeb().download('http://10.0.0.1/', { ...limits, param: 'messages[0].content[1]' });
    await expect(failed).rejects.toMatchObject({ details: { param: 'messages[0].content[1]' } });
  });

  describe('in time', () => {
    const waiting: (() => void)[] = [];
    const timers = {
      after(_milliseconds: number, callback: () => void) {
        waiting.push(callback);
        return () => {
          const at = waiting.indexOf(callback);
          if (at >= 0) waiting.splice(at, 1);
        };
      },
    };
    const timeIsUp = () => {
      for (const callback of waiting.splice(0)) callback();
    };

    it('an answer that never begins', async () => {
      let asked = false;
      answer = () => {
        asked = true;
      };
      const refused = refusal(createWeb({ timers }).download('http://site.example/', limits));
      await until('the request arrives', () => asked);
      timeIsUp();
      expect(await refused).toMatch(/within 5 s/);
    });

    it('an answer that never ends', async () => {
      let closed = false;
      let asked = false;
      answer = (_, response) => {
        response.on('close', () => {
          closed = true;
        });
        response.write('x');
        asked = true;
      };
      const refused = refusal(createWeb({ timers }).download('http://site.example/', limits));
      await until('the answer begins', () => asked);
      timeIsUp();
      expect(await refused).toMatch(/within 5 s/);
      await until('the connection is closed', () => closed);
    });

    it('a name that is never resolved, and an address that never answers', async () => {
      const stuck = { dial, ownAddresses: () => [], timers };
      const never = new Promise<never>(() => undefined);
      const web = createPublicWeb({ ...stuck, resolve: () => never });
      const refused = refusal(web.download('http://site.example/', limits));
      timeIsUp();
      expect(await refused).toMatch(/within 5 s/);
      let dialling = false;
      const silent: Dialer = (_, signal) => {
        dialling = true;
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      };
      const deaf = createPublicWeb({ ...stuck, dial: silent, resolve: async () => ['8.8.8.8'] });
      const late = refusal(deaf.download('http://site.example/', limits));
      await until('it is dialled', () => dialling);
      timeIsUp();
      expect(await late).toMatch(/within 5 s/);
    });

    it('no longer, once an answer that is read as it comes has begun', async () => {
      let go: () => void = () => undefined;
      answer = (_, response) => {
        response.write('first ');
        go = () => response.end('second');
      };
      const { body } = await createWeb({ timers }).open({ url: 'http://site.example/', timeoutMs: 5000 });
      timeIsUp();
      const pieces: string[] = [];
      for await (const chunk of body) {
        pieces.push(text(chunk));
        go();
      }
      expect(pieces.join('')).toBe('first second');
    });
  });

  it("ends with its caller's signal at every stage, and leaves no listener behind", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    for (let round = 0; round < 3; round++) {
      await createWeb().download('http://site.example/', { ...limits, signal });
      const { body } = await createWeb().open({ url: 'http://site.example/', timeoutMs: 5000, signal });
      for await (const chunk of body) expect(text(chunk)).toBe('hello');
    }
    await until('the listeners are gone', () => getEventListeners(signal, 'abort').length === 0);
    let asked = false;
    answer = (_, response) => {
      response.write('x');
      asked = true;
    };
    const gone = new ServeError('client_closed', 'The client closed the connection.');
    const left = createWeb().download('http://site.example/', { ...limits, signal });
    left.catch(() => undefined);
    await until('the answer begins', () => asked);
    controller.abort(gone);
    await expect(within('the end', left)).rejects.toBe(gone);
    await expect(createWeb().download('http://site.example/', { ...limits, signal })).rejects.toBe(gone);
  });
});
