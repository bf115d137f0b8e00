import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import type { ToolHost } from '../../src/contract/server-tools.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { systemDialer } from '../../src/fetching/dial.ts';
import { createPublicWeb } from '../../src/fetching/public-web.ts';
import { createBuiltInServer } from '../../src/tools/built-in/built-in-server.ts';
import { toMarkdown } from '../../src/tools/built-in/markdown.ts';
import { createToolHost } from '../../src/tools/host.ts';
import { within } from '../http/support.ts';

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

/** One server stands for the whole internet and for the search engine. */
let answer: Answer = (_, response) => response.end();
const asked: IncomingMessage[] = [];
const server = createServer((request, response) => {
  asked.push(request);
  answer(request, response);
});
let port = 0;

beforeEach(async () => {
  asked.length = 0;
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  port = typeof address === 'object' && address !== null ? address.port : 0;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function hostWith({ searchUrl = `http://127.0.0.1:${port}`, toolAllow = [] as readonly string[] } = {}): ToolHost {
  const web = createPublicWeb({
    resolve: async (name) => (name === 'site.example' ? ['8.8.8.8'] : []),
    dial: (target, signal) => systemDialer({ ...target, address: '127.0.0.1', port }, signal),
    ownAddresses: () => [],
    timers: systemTimers,
  });
  return createToolHost({
    servers: [],
    builtIn: createBuiltInServer({
      names: ['time', 'calculator', 'fetch', 'web_search'],
      unixMilliseconds: () => Date.UTC(2026, 0, 31, 23, 5, 9),
      timeZone: 'Asia/Kolkata',
      web,
      convert: async (html, url) => toMarkdown(html, url),
      searchUrl,
    }),
    toolAllow,
    clock: () => 0,
    log: () => undefined,
    version: '1',
  });
}

interface Limits {
  readonly signal?: AbortSignal;
  readonly timeoutMs?: number;
  readonly maxCharacters?: number;
}

function call(name: string, args: JsonObject, limits: Limits = {}, host = hostWith()) {
  const { signal = new AbortController().signal, timeoutMs = 5000, maxCharacters = 10_000 } = limits;
  return within(name, host.call({ server: 'built-in', name }, args, { signal, timeoutMs, maxCharacters }));
}

const page = (contentType: string, body: string | Uint8Array, status = 200): Answer => {
  return (_, response) => response.writeHead(status, { 'content-type': contentType }).end(body);
};

describe('built-in tools', () => {
  it('are one server of tools, ready at once, whose tools only read', async () => {
    const host = hostWith();
    const tools = await host.tools(undefined, new AbortController().signal);
    expect(tools.map(({ server, name, readOnly }) => [server, name, readOnly])).toEqual([
      ['built-in', 'time', true],
      ['built-in', 'calculator', true],
      ['built-in', 'fetch', true],
      ['built-in', 'web_search', true],
    ]);
    expect(tools[1]?.parameters).toEqual({
      type: 'object',
      properties: {
        expression: { type: 'string', maxLength: 500, description: expect.stringContaining('sqrt') },
      },
      required: ['expression'],
    });
    expect(host.report()).toMatchObject([{ name: 'built-in', transport: 'built-in', state: 'ready' }]);
    expect(await host.restart('built-in', new AbortController().signal)).toMatchObject({ state: 'ready' });
  });

  it.each([[['calculator']], [['built-in__calculator']]])(
    'are held to the list of allowed ones: %s',
    async (toolAllow) => {
      const host = hostWith({ toolAllow });
      const tools = await host.tools(['built-in'], new AbortController().signal);
      expect(tools.map(({ name }) => name)).toEqual(['calculator']);
      expect(await call('time', {}, {}, host)).toMatchObject({ isError: true });
      expect(await call('calculator', { expression: '6*7' }, {}, host)).toEqual({ content: '42', isError: false });
    },
  );

  it('say what is wrong with arguments', async () => {
    expect(await call('calculator', {})).toEqual({
      content: expect.stringMatching(/^This call was not run: "expression": /),
      isError: true,
    });
    expect(await call('calculator', { expression: '1'.repeat(501) })).toMatchObject({ isError: true });
    expect(await call('fetch', { url: 'http://site.example', start: -1 })).toMatchObject({ isError: true });
    expect(await call('nothing', {})).toMatchObject({ isError: true });
    expect(await call('calculator', { expression: '9^9^9' })).toEqual({
      content: 'The number would have too many digits to be calculated here.',
      isError: true,
    });
  });

  it('tell the time here and elsewhere', async () => {
    const content = 'Sunday, 2026-02-01 04:35:09 in Asia/Kolkata (UTC+05:30). In UTC: 2026-01-31T23:05:09Z';
    expect(await call('time', {})).toEqual({ content, isError: false });
    expect((await call('time', { timezone: 'UTC' })).content).toMatch(
      /^Saturday, 2026-01-31 23:05:09 in UTC \(UTC\+00:00\)/,
    );
    expect(await call('time', { timezone: 'Mars/Base' })).toEqual({
      content: expect.stringMatching(/no time zone "Mars\/Base"/),
      isError: true,
    });
  });
});

describe('fetch', () => {
  const url = 'http://site.example/docs/page.html';

  it('reads a page as Markdown, with whole addresses and without what is no text', async () => {
    answer = page(
      'text/html',
      `<!doctype html><title>A page</title><nav><a href="/">Home</a></nav><script>alert('no')</script><style>p{}</style>
       <h1>Head &amp; shoulders</h1><p>Some <b>bold</b> words and a <a href="../other?x=1">link</a>.</p>
       <ul><li>one<li>two</ul><table><tr><th>A<th>B<tr><td>1<td>2</table><pre><code>let x;</code></pre>
       <img src="data:image/png;base64,AAAA" alt="drawn"><button>Buy</button>`,
    );
    const { content, isError } = await call('fetch', { url });
    expect(isError).toBe(false);
    expect(content.split('\n')[0]).toBe(url);
    for (const part of [
      '# Head & shoulders',
      'Some **bold** words and a [link](http://site.example/other?x=1).',
      '- one\n- two',
      '| A | B |',
      'let x;',
    ])
      expect(content).toContain(part);
    expect(content).not.toMatch(/alert|p\{\}|Buy|Home|AAAA/);
    expect(asked[0]?.headers.accept).toMatch(/^text\/markdown, text\/html/);
  });

  it.each([
    ['text/html; charset=iso-8859-1', Buffer.from('<p>Gr\u00fc\u00dfe', 'latin1')],
    ['text/html', Buffer.from('<meta charset="windows-1252"><p>Gr\u00fc\u00dfe', 'latin1')],
    ['text/plain', Buffer.from('\ufeffGr\u00fc\u00dfe', 'utf16le')],
    ['text/plain; charset=utf-8', Buffer.from('Gr\u00fc\u00dfe')],
    ['text/plain; charset=klingon', Buffer.from('Gr\u00fc\u00dfe')],
    ['application/json', Buffer.from('{"a": "Gr\u00fc\u00dfe"}')],
    [
      'application/atom+xml',
      Buffer.from('<?xml version="1.0" encoding="ISO-8859-1"?><a>Gr\u00fc\u00dfe</a>', 'latin1'),
    ],
    ['', Buffer.from('Gr\u00fc\u00dfe')],
  ])('reads the letters of %s', async (contentType, body) => {
    answer = (_, response) =>
      response.writeHead(200, contentType === '' ? {} : { 'content-type': contentType }).end(body);
    const { content, isError } = await call('fetch', { url });
    expect([content, isError]).toEqual([expect.stringContaining('Gr\u00fc\u00dfe'), false]);
  });

  it('goes on where it was cut', async () => {
    const text = Array.from({ length: 1000 }, (_, line) => `line ${line}`).join('\n');
    answer = page('text/plain', text);
    let read = '';
    for (let calls = 0; read.length < text.length; calls++) {
      expect(calls).toBeLessThan(30);
      const { content } = await call('fetch', { url, start: read.length }, { maxCharacters: 1000 });
      expect(content.length).toBeLessThanOrEqual(1000);
      const [, part = '', end] = /^http[^\n]+\n\n([\s\S]*)\n\n\[Characters \d+ to (\d+) of 8889\./.exec(content) ?? [];
      read += part;
      expect(read.length).toBe(Number(end));
      expect(content.includes('Call again')).toBe(read.length < text.length);
    }
    expect(read).toBe(text);
    expect(await call('fetch', { url, start: 9000 })).toMatchObject({
      isError: true,
      content: 'The page has only 8889 characters.',
    });
  });

  it('reads the begin of what is too large, also when it is packed', async () => {
    const body = gzipSync(Buffer.alloc(6 * 1024 * 1024, 'a'));
    answer = (_, response) =>
      response.writeHead(200, { 'content-type': 'text/plain', 'content-encoding': 'gzip' }).end(body);
    const { content, isError } = await call('fetch', { url });
    expect(isError).toBe(false);
    expect(content).toMatch(/of the first 4194304, of a page longer than 4194304 bytes\. Call again/);
    expect(content.length).toBeLessThanOrEqual(10_000);
  });

  it('tells of what is no text, of a status, of an empty page and of a page that does not end', async () => {
    answer = page('application/pdf', '%PDF-1.7');
    expect(await call('fetch', { url })).toEqual({
      content: 'What is there is application/pdf (8 bytes) and cannot be read as text.',
      isError: true,
    });
    answer = page('text/plain', 'a\0b');
    expect(await call('fetch', { url })).toMatchObject({ isError: true });
    answer = page('text/html', '<p>Not here', 404);
    expect(await call('fetch', { url })).toEqual({ content: `Status 404\n${url}\n\nNot here`, isError: true });
    answer = page('text/html', '<div id="app"></div><script src="x.js"></script>');
    expect((await call('fetch', { url })).content).toMatch(/has no text/);
    answer = (_, response) => response.writeHead(200, { 'content-type': 'text/plain' }).write('begun');
    expect(await call('fetch', { url }, { timeoutMs: 200 })).toEqual({
      content: 'There was no answer within 0.2 s.',
      isError: true,
    });
  });

  it.each(['http://127.0.0.1/', 'http://localhost:8080/', 'http://169.254.169.254/latest', 'file:///etc/passwd', 'x'])(
    'does not go inside: %s',
    async (address) => {
      const { content, isError } = await call('fetch', { url: address });
      expect([isError, content]).toEqual([true, expect.stringMatching(/not asked|not fetched|no URL/)]);
      expect(asked).toEqual([]);
    },
  );

  it('ends when nobody waits any more', async () => {
    const controller = new AbortController();
    const reason = new Error('enough');
    answer = () => controller.abort(reason);
    await expect(call('fetch', { url }, { signal: controller.signal })).rejects.toBe(reason);
  });
});

describe('web_search', () => {
  const found = {
    results: [
      { title: 'First', url: 'https://a.example/', content: 'about\n  a thing', publishedDate: '2026-03-04T00:00:00' },
      { title: null, url: 'https://b.example/', content: null, engine: 'x' },
    ],
    answers: [{ answer: 'It is 42.', url: 'https://c.example' }],
  };

  it('asks a SearXNG and lists what it found', async () => {
    answer = page('application/json', JSON.stringify(found));
    expect(await call('web_search', { query: 'a & b' })).toEqual({
      content:
        'It is 42.\n1. First (2026-03-04)\n   https://a.example/\n   about a thing\n2. https://b.example/\n   https://b.example/',
      isError: false,
    });
    expect(asked[0]?.url).toBe('/search?q=a+%26+b&format=json&pageno=1');
  });

  it('asks other addresses as they are written, with the password in them', async () => {
    answer = page('application/json', '{"results": []}');
    const searchUrl = `http://ann:s%20ame@127.0.0.1:${port}/find/{query}?p={page}&key=k`;
    const { content } = await call('web_search', { query: 'a/b', page: 2 }, {}, hostWith({ searchUrl }));
    expect(content).toBe('Nothing was found.');
    expect(asked[0]?.url).toBe('/find/a%2Fb?p=2&key=k');
    expect(asked[0]?.headers.authorization).toBe(`Basic ${Buffer.from('ann:s ame').toString('base64')}`);
  });

  it.each([
    [403, '', /status 403. Its settings may not allow/],
    [500, '', /status 500/],
    [200, '<html>', /did not answer with results/],
    [200, '{"results": "none"}', /did not answer with results/],
    [200, ' '.repeat(5 * 1024 * 1024), /too long/],
  ])('tells of a wrong answer: %s %s', async (status, body, message) => {
    answer = page('application/json', body, status);
    expect(await call('web_search', { query: 'x' })).toEqual({
      content: expect.stringMatching(message),
      isError: true,
    });
  });

  it('tells that nobody is there, and not where', async () => {
    const { content } = await call(
      'web_search',
      { query: 'x' },
      {},
      hostWith({ searchUrl: 'http://127.0.0.1:1/secret' }),
    );
    expect(content).toBe('The search engine could not be reached.');
  });
});
