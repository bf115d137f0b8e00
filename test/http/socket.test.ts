import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request as httpsRequest } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:net';
import { resolve } from 'node:path';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { GenerationEvent } from '../../src/contract/events.ts';
import type { Listener, ListenOptions } from '../../src/http/listen.ts';
import { listen } from '../../src/http/listen.ts';
import type { Door, DoorOptions } from './support.ts';
import { answer, finish, hello, openDoor, start, until, within } from './support.ts';

const open: Listener[] = [];
afterEach(async () => {
  await within('closing', Promise.all(open.splice(0).map((listener) => listener.close({ force: true }))));
});

interface Served extends Door {
  readonly listener: Listener;
}

async function serve(options: DoorOptions = {}, more: Partial<ListenOptions> = {}): Promise<Served> {
  const door = openDoor(options);
  const listener = await listen(door.app, {
    host: '127.0.0.1',
    port: 0,
    headerTimeoutMs: 15_000,
    requestTimeoutMs: 60_000,
    ...more,
  });
  open.push(listener);
  return { ...door, listener };
}

function client({ listener }: Served): OpenAI {
  return new OpenAI({ baseURL: `${listener.url}/v1`, apiKey: 'none', maxRetries: 0 });
}

const create = { model: 'gpt-4o', messages: [{ role: 'user' as const, content: 'Hello' }] };

describe('the official OpenAI client', () => {
  it('reads a plain answer', async () => {
    const server = await serve();
    const completion = await client(server).chat.completions.create(create);
    expect(completion.choices[0]?.message.content).toBe('Hello');
    expect(completion.usage).toMatchObject({ prompt_tokens: 10, completion_tokens: 2, total_tokens: 12 });
  });

  it('collects from a stream what the plain answer says', async () => {
    const events: GenerationEvent[] = [
      start,
      { type: 'block-start', index: 0, kind: 'reasoning' },
      { type: 'block-delta', index: 0, delta: 'think' },
      { type: 'block-end', index: 0 },
      { type: 'block-start', index: 1, kind: 'text' },
      { type: 'block-delta', index: 1, delta: 'say' },
      { type: 'block-end', index: 1 },
      { type: 'block-start', index: 2, kind: 'tool-call', id: 'c1', name: 'weather' },
      { type: 'block-delta', index: 2, delta: '{"city":' },
      { type: 'block-delta', index: 2, delta: '"Rome"}' },
      { type: 'block-end', index: 2 },
      finish({ reason: 'tool-calls' }),
    ];
    const server = await serve();
    server.generation.script = (run) => run.say(...events);
    const openai = client(server);
    const tools = [{ type: 'function' as const, function: { name: 'weather', parameters: {} } }];
    const plain = await openai.chat.completions.create({ ...create, tools });
    const streamed = await openai.chat.completions
      .stream({ ...create, tools, stream_options: { include_usage: true } })
      .finalChatCompletion();
    expect(streamed.choices[0]?.message.tool_calls).toMatchObject(plain.choices[0]?.message.tool_calls ?? ['missing']);
    expect(streamed.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: 'say' } });
    expect(plain.choices[0]?.message).toMatchObject({ content: 'say', reasoning: 'think', reasoning_content: 'think' });
    expect(streamed.usage).toEqual(plain.usage);
  });

  it.each([
    ['a bad field', { ...create, temperature: 9 }, undefined, OpenAI.BadRequestError, 'temperature'],
    ['an overload', create, new ServeError('overloaded', 'full'), OpenAI.RateLimitError, undefined],
    ['a loading model', create, new ServeError('model_loading', 'wait'), OpenAI.InternalServerError, undefined],
    ['an unknown model', { ...create, model: 'strict' }, undefined, OpenAI.NotFoundError, 'model'],
  ])('throws its own class for %s', async (_, body, thrown, type, param) => {
    const server = await serve();
    if (thrown) server.generation.script = (run) => run.say(thrown);
    const error = await client(server)
      .chat.completions.create(body)
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(type);
    expect(error).toMatchObject({ param: param ?? null });
  });

  it('throws on an error in mid-stream', async () => {
    const server = await serve();
    server.generation.script = (run) => run.say(start, new ServeError('engine_failure', 'the engine failed'));
    const stream = await client(server).chat.completions.create({ ...create, stream: true });
    const read = async () => {
      for await (const _ of stream);
    };
    await expect(read()).rejects.toThrow('the engine failed');
  });

  it('that breaks off in mid-stream stops the work', async () => {
    const server = await serve();
    server.generation.script = (run) => run.say(...answer(['a', 'b']).slice(0, 3));
    const stream = await client(server).chat.completions.create({ ...create, stream: true });
    for await (const chunk of stream) if (chunk.choices[0]?.delta.content === 'a') break;
    await until('the work to stop', () => server.generation.runs[0]?.stoppedBy !== undefined);
    expect(server.generation.runs[0]?.stoppedBy).toMatchObject({ code: 'client_closed' });
    await until('the log line', () => server.records.length === 1);
    expect(server.records).toMatchObject([{ status: 200, outcome: 'client_closed' }]);
  });

  it('lists models', async () => {
    const server = await serve();
    const names: string[] = [];
    for await (const model of client(server).models.list()) names.push(model.id);
    expect(names).toEqual(['demo', 'team/demo']);
    expect(await client(server).models.retrieve('team/demo')).toMatchObject({ id: 'team/demo', root: 'demo' });
  });
});

describe('a client that goes away', () => {
  it.each([
    ['while its plain request is queued', false, []],
    ['while its stream is queued', true, []],
    ['while its plain answer is made', false, [start]],
  ])('%s stops the work', async (_, stream, events) => {
    const server = await serve();
    server.generation.script = (run) => run.say(...events);
    const gone = new AbortController();
    const pending = fetch(`${server.listener.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, stream }),
      signal: gone.signal,
    }).catch(() => undefined);
    await until('the run', () => server.generation.runs[0]?.taken === events.length);
    gone.abort();
    await until('the work to stop', () => server.generation.runs[0]?.stoppedBy !== undefined);
    expect(server.generation.runs[0]?.stoppedBy).toMatchObject({ code: 'client_closed' });
    await pending;
  });

  it('with half a body sent leaves nothing behind', async () => {
    const server = await serve();
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"messages"');
    await new Promise((resolve) => socket.once('connect', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await until('the log line', () => server.records.length === 1);
    expect(server.records).toMatchObject([{ outcome: 'client_closed' }]);
    expect(server.generation.runs).toEqual([]);
  });
});

describe('a reader that does not read', () => {
  it('stops its own stream: production ends long before the text does', async () => {
    const server = await serve();
    const piece = 'x'.repeat(16 * 1024);
    const pieces = 4000;
    server.generation.script = (run) => run.say(...answer(Array(pieces).fill(piece)));
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.pause();
    const body = JSON.stringify({ ...hello, stream: true });
    socket.write(
      `POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    const taken = () => server.generation.runs[0]?.taken ?? 0;
    await until('production', () => taken() > 10);
    let before = -1;
    // Looked at until it no longer moves over 200 turns of the loop.
    while (before !== taken()) {
      before = taken();
      for (let turn = 0; turn < 200; turn++) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(taken()).toBeLessThan(pieces / 2);
    // The others do not notice.
    server.generation.script = (run) => run.say(...answer());
    const other = await within('a neighbour', client(server).chat.completions.create(create));
    expect(other.choices[0]?.message.content).toBe('Hello');
    socket.destroy();
    await until('the work to stop', () => server.generation.runs[0]?.stoppedBy !== undefined);
  });
});

describe('a body', () => {
  it('in chunks is counted as it comes', async () => {
    const server = await serve({ settings: { maxBodyBytes: 1000 } });
    const response = await fetch(`${server.listener.url}/v1/chat/completions`, {
      method: 'POST',
      body: new ReadableStream({
        pull(controller) {
          controller.enqueue(new TextEncoder().encode('x'.repeat(600)));
        },
      }),
      duplex: 'half',
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'payload_too_large' } });
  });

  it.each(['announced', 'in chunks'])('that is too large, %s, is taken in before it is refused', async (form) => {
    const server = await serve({ settings: { maxBodyBytes: 1_000_000 } });
    const sent = Buffer.alloc(3_900_000, 0x20);
    const frame = form === 'announced' ? `content-length: ${sent.length}` : 'transfer-encoding: chunked';
    const body =
      form === 'announced' ? sent : Buffer.concat([Buffer.from('3B8260\r\n'), sent, Buffer.from('\r\n0\r\n\r\n')]);
    const socket = connect(server.listener.port, '127.0.0.1');
    // Like many clients, it does not read before it has sent everything, and asks for no second answer.
    socket.pause();
    const written = new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.write(`POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n${frame}\r\n\r\n`);
      socket.write(body, () => resolve());
    });
    await within('the whole body', written);
    let text = '';
    for await (const piece of socket) text += String(piece);
    expect(text).toMatch(/^HTTP\/1\.1 413 [\s\S]*payload_too_large/);
  });

  it('that is far too large is refused at once', async () => {
    const server = await serve({ settings: { maxBodyBytes: 1000 } });
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 4001\r\n\r\n');
    const [answered] = await within('an answer', once(socket, 'data'));
    expect(String(answered)).toMatch(/^HTTP\/1\.1 413 /);
    socket.destroy();
  });

  it('that never comes is a 408 in the words of the API', async () => {
    const server = await serve({ settings: { bodyTimeoutMs: 50 } });
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.write('POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\n{"a"');
    let text = '';
    socket.on('data', (data) => {
      text += String(data);
    });
    await until('an answer', () => text.includes('request_timeout'));
    expect(text).toMatch(/^HTTP\/1\.1 408 /);
    socket.destroy();
  });
});

describe('an encoded body', () => {
  const json = JSON.stringify(hello);
  const send = async (body: Uint8Array<ArrayBuffer>, encoding: string, settings = {}) => {
    const server = await serve({ settings });
    const headers = { 'content-encoding': encoding };
    return fetch(`${server.listener.url}/v1/chat/completions`, { method: 'POST', body, headers });
  };
  const text = (value: string) => new TextEncoder().encode(value);

  it.each([
    ['gzip', gzipSync(json)],
    ['GZip', gzipSync(json)],
    ['x-gzip', gzipSync(json)],
    ['br', brotliCompressSync(json)],
    ['identity', text(json)],
    ['identity, gzip', gzipSync(json)],
  ])('in %s is read', async (encoding, body) => {
    const response = await send(body, encoding);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Hello' } }] });
  });

  it.each([
    ['deflate', deflateSync(json)],
    ['zstd', text(json)],
    ['gzip, gzip', gzipSync(gzipSync(json))],
    ['__proto__', text(json)],
  ])('in %s is a 415 that names what is taken', async (encoding, body) => {
    const response = await send(body, encoding);
    expect([response.status, response.headers.get('accept-encoding')]).toEqual([415, 'gzip, br']);
    expect(await response.json()).toMatchObject({
      error: {
        code: 'unsupported_media_type',
        message: `The request body is encoded as ${JSON.stringify(encoding)}. Send it as it is, or encoded once as gzip, br.`,
      },
    });
  });

  it.each([
    ['gzip', gzipSync(Buffer.alloc(1_000_001, 0x20))],
    ['br', brotliCompressSync(Buffer.alloc(1_000_001, 0x20))],
  ])('in %s that becomes too large is a 413', async (encoding, body) => {
    expect(body.length).toBeLessThan(2000);
    const response = await send(body, encoding, { maxBodyBytes: 1_000_000 });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ error: { code: 'payload_too_large' } });
  });

  it.each([
    ['what is none', text(json)],
    ['half of one', gzipSync(json).subarray(0, 30)],
  ])('is a 400 that says so where it is %s', async (_, body) => {
    const response = await send(new Uint8Array(body), 'gzip');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({
      error: { message: 'The request body is not what its Content-Encoding says: it cannot be decoded as gzip.' },
    });
  });
});

describe('HTTP/1.0', () => {
  const exchange = async (server: Served, request: string) => {
    const socket = connect(server.listener.port, '127.0.0.1');
    socket.write(request);
    let text = '';
    const read = async () => {
      for await (const piece of socket) text += String(piece);
    };
    await within('the end of the connection', read());
    return text;
  };
  const stream = JSON.stringify({ ...hello, stream: true });

  it('gets a stream without chunks, ended by the end of the connection', async () => {
    const server = await serve();
    const text = await exchange(
      server,
      `POST /v1/chat/completions HTTP/1.0\r\nhost: localhost\r\ncontent-length: ${stream.length}\r\n\r\n${stream}`,
    );
    const [head = '', body = ''] = text.split('\r\n\r\n');
    expect(head).toMatch(/^HTTP\/1\.1 200 /);
    expect(head).not.toMatch(/transfer-encoding/i);
    expect(head).toMatch(/connection: close/i);
    expect(body).toMatch(/^data: [\s\S]*"content":"Hel"[\s\S]*data: \[DONE\]\n\n$/);
  });

  it.each(['/livez', '/readyz', '/health', '/metrics'])('without Host is answered by the probe %s', async (path) => {
    const metrics = { render: async () => 'serve_model_up 1', contentType: 'text/plain' };
    const server = await serve({ more: { metrics } });
    for (const version of ['1.0', '1.1'])
      expect(await exchange(server, `GET ${path} HTTP/${version}\r\nconnection: close\r\n\r\n`)).toMatch(
        /^HTTP\/1\.1 200 /,
      );
  });

  it('without Host is answered in what a load balancer asks by itself', async () => {
    expect(await exchange(await serve(), 'OPTIONS / HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1\.1 204 /);
  });

  it.each([
    ['by default', {}, '', 400],
    ['where every name is allowed', { allowedHosts: ['*'] }, '', 200],
    ['where a key is asked for', { apiKeys: ['k'] }, 'x-api-key: k\r\n', 200],
  ])('without Host is answered or not: %s', async (_, settings, header, status) => {
    const text = await exchange(await serve({ settings }), `GET /v1/models HTTP/1.0\r\n${header}\r\n`);
    expect(text).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    if (status === 400) expect(text).toContain('The request has no Host header.');
  });
});

describe('what is no HTTP', () => {
  it.each([
    ['garbage', 'hello server\r\n\r\n', 400, 'invalid_value'],
    ['two lengths', 'POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n', 400, 'invalid_value'],
    ['a host that is none', 'GET /livez HTTP/1.1\r\nhost: a b\r\n\r\n', 400, 'invalid_value'],
    ['an address that is none', 'GET http://[/ HTTP/1.1\r\nhost: localhost\r\n\r\n', 400, 'invalid_value'],
    ['endless headers', `GET / HTTP/1.1\r\nx-long: ${'a'.repeat(20_000)}\r\n\r\n`, 431, 'payload_too_large'],
    [
      'a smuggled request',
      'POST / HTTP/1.1\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'invalid_value',
    ],
  ])('%s is told in the words of the API, and the connection closed', async (_, sent, status, code) => {
    const server = await serve();
    const socket = connect(server.listener.port, '127.0.0.1');
    let text = '';
    socket.on('data', (data) => {
      text += String(data);
    });
    socket.write(sent);
    await within('the end of the connection', new Promise((done) => socket.once('close', done)));
    expect(text).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(JSON.parse(text.slice(text.indexOf('{')))).toMatchObject({ error: { code } });
  });
});

describe('listening', () => {
  it('says where', async () => {
    const { listener } = await serve();
    expect(listener.url).toBe(`http://127.0.0.1:${listener.port}`);
    expect((await fetch(`${listener.url}/healthz`)).status).toBe(200);
  });

  it('speaks HTTPS with a certificate', async () => {
    const pem = (name: string) => readFileSync(resolve(import.meta.dirname, `../fixtures/tls/${name}.pem`), 'utf8');
    const server = await serve({}, { tls: { cert: pem('cert'), key: pem('key') } });
    expect(server.listener.url).toBe(`https://127.0.0.1:${server.listener.port}`);
    const body = JSON.stringify({ ...hello, stream: true });
    const text = await within(
      'an answer over TLS',
      new Promise<string>((done, failed) => {
        const outgoing = httpsRequest(
          `${server.listener.url}/v1/chat/completions`,
          { method: 'POST', ca: pem('cert') },
          (response) => {
            let received = '';
            response.on('data', (piece) => {
              received += String(piece);
            });
            response.on('end', () => done(received));
          },
        );
        outgoing.on('error', failed);
        outgoing.end(body);
      }),
    );
    expect(text).toMatch(/data: \[DONE\]\n\n$/);
  });

  it('on a port that is taken says so and what to do', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const { port } = taken.address() as AddressInfo;
    await expect(serve({}, { port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken by another program. Choose another one with --port, or --port 0 for any free one.`,
    );
    await new Promise((resolve) => taken.close(resolve));
  });

  it('on an address of another machine says so', async () => {
    await expect(serve({}, { host: '203.0.113.7' })).rejects.toThrow('203.0.113.7 is no address of this machine.');
  });

  it('closes when the running answers are out', async () => {
    const server = await serve();
    server.generation.script = (run) => run.say(start);
    const response = await fetch(`${server.listener.url}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ ...hello, stream: true }),
    });
    let closed = false;
    const closing = server.listener.close().then(() => {
      closed = true;
    });
    await expect(fetch(`${server.listener.url}/healthz`)).rejects.toThrow();
    expect(closed).toBe(false);
    server.generation.runs[0]?.say(...answer().slice(1));
    expect(await response.text()).toContain('[DONE]');
    await within('closing', closing);
  });
});
