import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ToolHost } from '../../src/contract/server-tools.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { createPublicWeb } from '../../src/fetching/public-web.ts';
import { createToolHost } from '../../src/tools/host.ts';
import { within } from '../http/support.ts';

/** A server of tools that stands for the whole internet, and remembers what it was asked. */
const asked: { method: string; call: string; headers: IncomingMessage['headers'] }[] = [];
const dialled: string[] = [];
let redirect: string | undefined;
/** What a call comes to instead of its result; or a connection, which then is not made. */
let instead: { readonly of: string; readonly answer: (response: ServerResponse) => void } | undefined;

const results: Record<string, object> = {
  initialize: {
    protocolVersion: '2025-06-18',
    capabilities: { tools: {} },
    serverInfo: { name: 'guest', version: '1' },
  },
  'tools/list': {
    tools: [
      {
        name: 'echo',
        description: 'Says it again',
        inputSchema: { type: 'object' },
        annotations: { readOnlyHint: true },
      },
      { name: 'other', inputSchema: { type: 'object' } },
    ],
  },
  'tools/call': { content: [{ type: 'text', text: 'The key is sesame-open-1234.' }] },
};

const server = createServer((request: IncomingMessage, response: ServerResponse) => {
  let body = '';
  request.on('data', (chunk: Buffer) => {
    body += chunk.toString();
  });
  request.on('end', () => {
    const { id, method = '' } = body === '' ? {} : (JSON.parse(body) as { id?: number; method?: string });
    asked.push({ method: request.method ?? '', call: method, headers: request.headers });
    if (redirect !== undefined) {
      response.writeHead(307, { location: redirect }).end();
      return;
    }
    if (instead && instead.of === (method || request.method)) {
      instead.answer(response);
      return;
    }
    if (request.method === 'GET') response.writeHead(405).end();
    else if (request.method === 'DELETE') response.writeHead(200).end();
    else if (id === undefined) response.writeHead(202).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json', 'mcp-session-id': 'session-1' })
        .end(JSON.stringify({ jsonrpc: '2.0', id, result: results[method] }));
  });
});

const addresses: Record<string, string> = {
  'tools.example': '93.184.216.34',
  'inside.example': '10.0.0.7',
  localhost: '127.0.0.1',
};
const web = createPublicWeb({
  resolve: async (name) => [addresses[name] ?? '93.184.216.35'],
  dial: (target) =>
    new Promise((resolve, reject) => {
      dialled.push(`${target.address}:${target.port}`);
      const address = server.address();
      const socket = connect({ host: '127.0.0.1', port: typeof address === 'object' ? (address?.port ?? 0) : 0 }, () =>
        resolve(socket),
      );
      socket.once('error', reject);
    }),
  ownAddresses: () => [],
  timers: systemTimers,
});

let host: ToolHost;
const lines: unknown[] = [];
const { signal } = new AbortController();
const limits = { signal, timeoutMs: 5000, maxCharacters: 10_000 };

function hostWith(toolAllow: readonly string[] = []): ToolHost {
  const place = { transport: 'http', url: 'http://127.0.0.1:1', headers: { 'x-config': 'config-secret' } } as const;
  const servers = [{ name: 'configured', disabled: false, place }];
  return createToolHost({ servers, toolAllow, web, clock: () => 0, log: (...line) => lines.push(line), version: '1' });
}

function guestAt(url: string, headers: Record<string, string> = {}, of = host) {
  const guest = of.guest?.('mail', { url, headers });
  if (!guest) throw new Error('there are no guests');
  return guest;
}

beforeEach(async () => {
  asked.length = 0;
  dialled.length = 0;
  redirect = undefined;
  instead = undefined;
  host = hostWith();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
});

afterEach(async () => {
  await host.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

describe('a server that a request brings along', () => {
  it("is reached by its name, asked with the client's own headers only, and let go of", async () => {
    const guest = guestAt('http://tools.example/mcp', { authorization: 'Bearer sesame-open-1234', host: 'evil' });
    const tools = await within('its tools', guest.tools(signal));
    expect(tools.map(({ server: of, name, readOnly }) => [of, name, readOnly])).toEqual([
      ['mail', 'echo', true],
      ['mail', 'other', false],
    ]);
    const outcome = await within('its answer', guest.call({ server: 'mail', name: 'echo' }, {}, limits));
    // What the client keeps secret is in no result either, nor in a line of the log.
    expect(outcome).toEqual({ content: 'The key is [secret].', isError: false });
    expect(JSON.stringify(lines)).not.toContain('sesame-open-1234');
    await within('its end', guest.close());
    expect(asked.map(({ method, call }) => `${method} ${call}`.trim()).filter((line) => line !== 'GET')).toEqual([
      'POST initialize',
      'POST notifications/initialized',
      'POST tools/list',
      'POST tools/call',
      'DELETE',
    ]);
    for (const { headers } of asked) {
      expect([headers.host, headers.authorization]).toEqual(['tools.example', 'Bearer sesame-open-1234']);
      expect(headers['x-config']).toBeUndefined();
    }
    expect(new Set(dialled)).toEqual(new Set(['93.184.216.34:80']));
    expect(host.report().map(({ name }) => name)).toEqual(['configured']);
  });

  it.each([
    'http://127.0.0.1/mcp',
    'http://localhost:8080/mcp',
    'http://inside.example/mcp',
    'http://[::1]/mcp',
    'http://169.254.169.254/latest/meta-data',
    'file:///etc/passwd',
  ])('is not reached where only this machine could: %s', async (url) => {
    const guest = guestAt(url);
    await expect(within('a refusal', guest.tools(signal))).rejects.toThrow(/^mail could not be started: /);
    await guest.close();
    expect([asked, dialled]).toEqual([[], []]);
  });

  it('nor behind a redirect', async () => {
    redirect = 'http://127.0.0.1:1/mcp';
    const guest = guestAt('http://tools.example/mcp');
    await expect(within('a refusal', guest.tools(signal))).rejects.toThrow();
    await guest.close();
    expect(new Set(dialled)).toEqual(new Set(['93.184.216.34:80']));
  });

  it.each([
    ['an event that does not end', 'text/event-stream', 'data: x', '\n'],
    ['a text that does not end', 'text/plain', 'x', '\n\n'],
  ])('loses its connection, and we no memory, by %s', async (_, type, begin, lineEnd) => {
    let sent = 0;
    instead = {
      of: 'tools/call',
      answer(response) {
        response.writeHead(200, { 'content-type': type }).write(begin);
        const more = () => {
          for (
            let goesOn = !response.destroyed;
            goesOn;
            goesOn = response.write(`data: ${'x'.repeat(100_000)}${lineEnd}`)
          )
            sent += 100_000;
          response.once('drain', more);
        };
        more();
      },
    };
    const guest = guestAt('http://tools.example/mcp');
    await within('its tools', guest.tools(signal));
    const outcome = await within('its answer', guest.call({ server: 'mail', name: 'echo' }, {}, limits));
    expect(outcome.isError).toBe(true);
    expect(sent).toBeLessThan(40_000_000);
    await guest.close();
  });

  it('may send many events, which are no more than the longest of them', async () => {
    instead = {
      of: 'tools/call',
      answer(response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        const comment = `: ${'x'.repeat(1_000_000)}\r\n\r\n`;
        for (let count = 0; count < 12; count++) response.write(comment);
        const result = { jsonrpc: '2.0', id: 2, result: results['tools/call'] };
        response.end(`data: ${JSON.stringify(result)}\n\n`);
      },
    };
    const guest = guestAt('http://tools.example/mcp');
    await within('its tools', guest.tools(signal));
    const outcome = await within('its answer', guest.call({ server: 'mail', name: 'echo' }, {}, limits));
    expect(outcome).toMatchObject({ isError: false });
    await guest.close();
  });

  it.each([
    ['http', 'http://tools.example/mcp', 'initialize'],
    ['sse', 'http://tools.example/sse', 'GET'],
  ])('that says nothing (%s) is left at once when nobody waits for it', async (_, url, of) => {
    let isAsked: () => void = () => undefined;
    const asking = new Promise<void>((resolve) => {
      isAsked = resolve;
    });
    instead = {
      of,
      answer(response) {
        response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
        isAsked();
      },
    };
    const guest = guestAt(url);
    const leave = new AbortController();
    const tools = guest.tools(leave.signal);
    await within('the connection', asking);
    leave.abort(new Error('gone'));
    await expect(tools).rejects.toThrow('gone');
    await within('its end', guest.close());
  });

  it('has those tools only that are allowed', async () => {
    await host.close();
    host = hostWith(['echo']);
    const guest = guestAt('http://tools.example/mcp');
    expect((await within('its tools', guest.tools(signal))).map(({ name }) => name)).toEqual(['echo']);
    const other = await within('a refusal', guest.call({ server: 'mail', name: 'other' }, {}, limits));
    expect(other.isError).toBe(true);
    expect(asked.some(({ call }) => call === 'tools/call')).toBe(false);
    await guest.close();
  });

  it('is none where the server allows none', () => {
    const closed = createToolHost({ servers: [], toolAllow: [], clock: () => 0, log: () => undefined, version: '1' });
    expect(closed.guest).toBeUndefined();
  });
});
