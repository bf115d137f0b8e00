import { getEventListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { KeyLimits } from '../../src/contract/caller.ts';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';
import { MinuteAccount } from '../../src/http/limits/minute-account.ts';
import { createUsageLedger } from '../../src/usage/usage-ledger.ts';
import { everyPart } from '../support/route-rows.ts';
import { answer, finish, hello, openDoor, start, until, within } from './support.ts';

const streaming = { ...hello, stream: true };
const chat = '/v1/chat/completions';
const key = (name: string) => ({ headers: { authorization: `Bearer ${name}` } });

/** The library reads the system's clock and sets its own timers: both stand still until they are moved. */
function holdTime(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'], now: 0 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}
const pass = (milliseconds: number) => vi.advanceTimersByTime(milliseconds);

describe('an account', () => {
  holdTime();

  it('is full at first, counts for a minute from its first use and is full again', async () => {
    const account = new MinuteAccount(60);
    expect(await account.balance('a')).toEqual({ remaining: 60, resetMs: 0 });
    await account.spend('a', 20);
    pass(20_000);
    await account.spend('a', 30);
    expect(await account.balance('a')).toEqual({ remaining: 10, resetMs: 40_000 });
    expect(await account.balance('b')).toEqual({ remaining: 60, resetMs: 0 });
    pass(39_999);
    expect(await account.balance('a')).toEqual({ remaining: 10, resetMs: 1 });
    pass(1);
    expect(await account.balance('a')).toEqual({ remaining: 60, resetMs: 0 });
  });

  it('is longer by the time that an overdraft takes to pay', async () => {
    const account = new MinuteAccount(60);
    await account.spend('a', 50);
    pass(10_000);
    await account.spend('a', 40);
    expect(await account.balance('a')).toEqual({ remaining: 0, resetMs: 50_000 + 30_000 });
    await account.spend('a', 60);
    expect(await account.balance('a')).toEqual({ remaining: 0, resetMs: 50_000 + 30_000 + 60_000 });
    pass(140_000);
    expect(await account.balance('a')).toEqual({ remaining: 60, resetMs: 0 });
  });

  it('is paid for by each of those that end at once', async () => {
    const account = new MinuteAccount(60);
    await Promise.all([account.spend('a', 120), account.spend('a', 60), account.spend('b', 60)]);
    expect(await account.balance('a')).toEqual({ remaining: 0, resetMs: 60_000 + 60_000 + 60_000 });
    expect(await account.balance('b')).toEqual({ remaining: 0, resetMs: 60_000 });
  });

  it('is never overdrawn for more than a day', async () => {
    const account = new MinuteAccount(1);
    await account.spend('a', 10_000_000);
    expect(await account.balance('a')).toEqual({ remaining: 0, resetMs: 86_400_000 });
  });

  it('gives one to as many as there are, of all that come at once', async () => {
    const account = new MinuteAccount(2);
    const waits = await Promise.all(Array.from({ length: 5 }, () => account.takeOne('a')));
    expect(waits).toEqual([undefined, undefined, 60_000, 60_000, 60_000]);
  });

  it('remembers nothing of a minute that is over', async () => {
    const account = new MinuteAccount(60);
    for (let index = 0; index < 100; index++) await account.spend(`key ${index}`, 1);
    expect(vi.getTimerCount()).toBe(100);
    pass(60_000);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('requests per minute', () => {
  holdTime();

  it('are refused beyond the limit with the time to wait, and counted per key', async () => {
    const door = openDoor({ settings: { apiKeys: ['a', 'b'], rateLimitRpm: 2 } });
    const first = await door.post(chat, hello, key('a'));
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': '60s',
    });
    pass(20_000);
    expect((await door.post(chat, hello, key('a'))).status).toBe(200);
    const refused = await door.post(chat, hello, key('a'));
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '40']);
    expect(Object.fromEntries(refused.headers)).toMatchObject({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '40s',
    });
    expect(await refused.json()).toEqual({
      error: {
        message: 'This key may use 2 requests per minute and has used them. Try again in 40 s.',
        type: 'rate_limit_error',
        param: null,
        code: 'rate_limit_exceeded',
      },
    });
    expect((await door.post(chat, hello, key('b'))).status).toBe(200);
    pass(40_000);
    expect((await door.post(chat, hello, key('a'))).status).toBe(200);
    expect(door.generation.runs).toHaveLength(4);
  });

  it('are refused in the words of each API', async () => {
    const door = openDoor({ settings: { rateLimitRpm: 1 } });
    await door.post(chat, hello);
    const refused = await door.post('/v1/messages', { max_tokens: 5, ...hello });
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ type: 'error', error: { type: 'rate_limit_error' } });
  });

  it('do not count what is refused for another reason, nor what is no work', async () => {
    const door = openDoor({ settings: { apiKeys: ['a'], rateLimitRpm: 1 } });
    await door.post(chat, hello, key('wrong'));
    await door.app.request('/v1/models', key('a'));
    const response = await door.post(chat, hello, key('a'));
    expect(response.status).toBe(200);
  });

  it('tell nothing to a key that is none', async () => {
    const door = openDoor({ settings: { apiKeys: ['a'], rateLimitRpm: 1 } });
    const response = await door.post(chat, hello, key('wrong'));
    expect([...response.headers.keys()].filter((name) => name.startsWith('x-ratelimit'))).toEqual([]);
  });

  it('have one account for everybody while there are no keys', async () => {
    const door = openDoor({ settings: { rateLimitRpm: 1 } });
    expect((await door.post(chat, hello, key('x'))).status).toBe(200);
    expect((await door.post(chat, hello, key('y'))).status).toBe(429);
  });
});

describe('tokens per minute', () => {
  holdTime();

  it('are paid when the answer is there, prompt and answer together', async () => {
    const door = openDoor({ settings: { rateLimitTpm: 20 } });
    const first = await door.post(chat, hello);
    expect(Object.fromEntries(first.headers)).toMatchObject({
      'x-ratelimit-limit-tokens': '20',
      'x-ratelimit-remaining-tokens': '8',
      'x-ratelimit-reset-tokens': '60s',
    });
    const second = await door.post(chat, hello);
    expect(Object.fromEntries(second.headers)).toMatchObject({
      'x-ratelimit-limit-tokens': '20',
      'x-ratelimit-remaining-tokens': '0',
      'x-ratelimit-reset-tokens': '72s',
    });
    const refused = await door.post(chat, hello);
    // Two answers of 12: 4 more than there were, a fifth of a minute.
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '72']);
    expect(await refused.json()).toMatchObject({
      error: { message: 'This key may use 20 tokens per minute and has used them. Try again in 72 s.' },
    });
    pass(72_000);
    expect((await door.post(chat, hello)).status).toBe(200);
  });

  it('are paid for what was read and written when a client leaves', async () => {
    const door = openDoor({ settings: { rateLimitTpm: 13 } });
    door.generation.script = (run) => run.say(...answer(['a', 'b', 'c']).slice(0, 5));
    const reader = (await door.post(chat, streaming)).body?.getReader();
    while (door.generation.runs[0]?.taken !== 5) await reader?.read();
    await reader?.cancel();
    await until('the line in the log', () => door.records.length > 0);
    expect(door.records).toMatchObject([{ outcome: 'client_closed', inputTokens: 10, outputTokens: 3 }]);
    expect((await door.post(chat, hello)).status).toBe(429);
  });

  it('are paid once for a prompt, however many choices it has', async () => {
    const door = openDoor();
    expect((await door.post(chat, { ...hello, n: 3 })).status).toBe(200);
    expect(door.records).toMatchObject([{ inputTokens: 10, cachedTokens: 4, outputTokens: 6 }]);
  });

  it('are paid for prompts with tools of the server too, in every form that gets them', async () => {
    const settings = { defaultTools: ['all'], toolsFor: 'keys', apiKeys: ['k'] } as const;
    const door = openDoor({ settings, more: { serverTools: everyPart.serverTools } });
    const headers = { authorization: 'Bearer k', 'content-type': 'application/json' };
    for (const [path, body] of [
      [chat, { ...hello, n: 2 }],
      ['/api/generate', { model: 'x', prompt: 'Hello', stream: false }],
      ['/api/chat', { ...hello, stream: false }],
    ] as const)
      expect([path, (await door.post(path, body, { headers })).status]).toEqual([path, 200]);
    expect(door.generation.runs.map(({ request }) => request.serverTools !== undefined)).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(door.records.map(({ inputTokens }) => inputTokens)).toEqual([10, 10, 10]);
  });

  it('use up no request when they are gone', async () => {
    const door = openDoor({ settings: { rateLimitTpm: 10, rateLimitRpm: 5 } });
    await door.post(chat, hello);
    await door.post(chat, hello);
    const refused = await door.post(chat, hello);
    expect([refused.status, refused.headers.get('x-ratelimit-remaining-requests')]).toEqual([429, '4']);
  });
});

describe('limits of a key’s own', () => {
  holdTime();
  const ann = (limits: KeyLimits) => ({ key: 'a', name: 'ann', limits });

  it('go before those of the server, and leave others alone', async () => {
    const door = openDoor({
      settings: { apiKeys: [ann({ requestsPerMinute: 2 }), 'b'], rateLimitRpm: 1 },
    });
    const statuses = async (name: string) => {
      const responses = [];
      for (let count = 0; count < 3; count++) responses.push((await door.post(chat, hello, key(name))).status);
      return responses;
    };
    expect([await statuses('a'), await statuses('b')]).toEqual([
      [200, 200, 429],
      [200, 429, 429],
    ]);
  });

  it('count for all keys of a person together', async () => {
    const door = openDoor({
      settings: { apiKeys: [ann({ requestsPerMinute: 1 }), { key: 'new', name: 'ann' }] },
    });
    expect((await door.post(chat, hello, key('a'))).status).toBe(200);
    expect((await door.post(chat, hello, key('new'))).status).toBe(429);
  });

  it('bound the streams', async () => {
    const door = openDoor({ settings: { apiKeys: [ann({ streams: 1 }), 'b'] } });
    door.generation.script = (run) => run.say(start);
    const running = await door.post(chat, streaming, key('a'));
    const refused = await door.post(chat, streaming, key('a'));
    expect([refused.status, await refused.json()]).toMatchObject([
      429,
      { error: { message: expect.stringContaining('This key has 1 requests running') } },
    ]);
    const others = await Promise.all([door.post(chat, streaming, key('b')), door.post(chat, streaming, key('b'))]);
    expect(others.map(({ status }) => status)).toEqual([200, 200]);
    for (const response of [running, ...others]) await response.body?.cancel();
  });

  it('bound the tokens of a day, until midnight; the headers tell the limit that is nearest', async () => {
    vi.setSystemTime(20 * 3_600_000);
    const usage = createUsageLedger(undefined, {
      newId: () => 'a',
      now: Date.now,
      timers: systemTimers,
      failed: () => undefined,
    });
    const door = openDoor({
      settings: { apiKeys: [ann({ tokensPerDay: 20, tokensPerMinute: 100 }), 'b'] },
      more: { usage },
    });
    for (let count = 0; count < 2; count++) expect((await door.post(chat, hello, key('a'))).status).toBe(200);
    const refused = await door.post(chat, hello, key('a'));
    expect([refused.status, refused.headers.get('x-ratelimit-limit-tokens')]).toEqual([429, '20']);
    expect(refused.headers.get('retry-after')).toBe(String(4 * 3600));
    expect(await refused.json()).toMatchObject({
      error: { message: `This key may use 20 tokens per day and has used them. Try again in ${4 * 3600} s.` },
    });
    expect((await door.post(chat, hello, key('b'))).status).toBe(200);
    pass(4 * 3_600_000);
    expect((await door.post(chat, hello, key('a'))).status).toBe(200);
  });
});

describe('work at once', () => {
  it('is bounded for the server, and free again when a stream ends', async () => {
    const door = openDoor({ settings: { maxInFlight: 1 } });
    door.generation.script = (run) => run.say(start);
    const running = await door.post(chat, streaming);
    const refused = await door.post(chat, hello);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
    expect(await refused.json()).toMatchObject({ error: { code: 'backpressure' } });
    door.generation.runs[0]?.say(...answer().slice(1));
    await running.text();
    door.generation.script = (run) => run.say(...answer());
    expect((await door.post(chat, hello)).status).toBe(200);
  });

  it('is free again when a client leaves or a request is refused', async () => {
    const door = openDoor({ settings: { maxInFlight: 1 } });
    door.generation.script = (run) => run.say(start);
    await (await door.post(chat, streaming)).body?.cancel();
    expect((await door.post(chat, { messages: [] })).status).toBe(400);
    door.generation.script = (run) => run.say(...answer());
    expect((await door.post(chat, hello)).status).toBe(200);
  });

  it('leaves every other key one place', async () => {
    const door = openDoor({ settings: { apiKeys: ['a', 'b', 'c'], maxInFlight: 2 } });
    door.generation.script = (run) => run.say(start);
    const statuses: number[] = [];
    const responses: Response[] = [];
    for (const name of ['a', 'a', 'a', 'b', 'b', 'c']) {
      const response = await door.post(chat, streaming, key(name));
      statuses.push(response.status);
      responses.push(response);
    }
    expect(statuses).toEqual([200, 200, 429, 200, 429, 200]);
    for (const response of responses) await response.body?.cancel();
  });

  it('is bounded per key', async () => {
    const door = openDoor({ settings: { apiKeys: ['a', 'b'], maxStreamsPerKey: 1 } });
    door.generation.script = (run) => run.say(start);
    const running = await door.post(chat, streaming, key('a'));
    expect((await door.post(chat, hello, key('a'))).status).toBe(429);
    door.generation.script = (run) => run.say(...answer());
    expect((await door.post(chat, hello, key('b'))).status).toBe(200);
    await running.body?.cancel();
    expect((await door.post(chat, hello, key('a'))).status).toBe(200);
  });
});

describe('--tool-allow', () => {
  const tool = (name: string) => ({ type: 'function', function: { name } });

  it.each([
    [['weather'], ['weather'], 200],
    [['weather'], ['weather', 'shell'], 403],
    [['weather'], [], 200],
    [[], ['shell'], 200],
  ])('with %j and the tools %j gives %d', async (toolAllow, tools, status) => {
    const door = openDoor({ settings: { toolAllow } });
    const response = await door.post(chat, { ...hello, tools: tools.map(tool) });
    expect(response.status).toBe(status);
    if (status === 403)
      expect(await response.json()).toMatchObject({
        error: { message: 'The tool "shell" is not allowed here. Allowed: weather (--tool-allow).', param: 'tools' },
      });
  });
});

describe('/metrics', () => {
  const metrics = { render: () => Promise.resolve('up 1\n'), contentType: 'text/plain; version=0.0.4' };

  it.each([
    ['public', undefined, {}, 200],
    ['public', undefined, { origin: 'https://evil.example', host: 'pod-7' }, 200],
    ['token', 'secret', {}, 401],
    ['token', 'secret', { authorization: 'Bearer key' }, 401],
    ['token', 'secret', { authorization: 'Bearer secret' }, 200],
    ['token', undefined, { authorization: 'Bearer ' }, 401],
    ['off', undefined, {}, 404],
  ] as const)('%s with token %s and %j gives %d', async (mode, metricsToken, headers, status) => {
    const door = openDoor({ settings: { apiKeys: ['key'], metrics: mode, metricsToken }, more: { metrics } });
    const response = await door.app.request('/metrics', { headers });
    expect(response.status).toBe(status);
    if (status === 200)
      expect([await response.text(), response.headers.get('content-type')]).toEqual(['up 1\n', metrics.contentType]);
  });
});

describe('/internal', () => {
  const remote = { incoming: { socket: { remoteAddress: '10.0.0.7' } } };
  const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };
  const ann = { key: 'k', name: 'ann', admin: true };

  it.each([
    ['no key and no token, from here', {}, local, {}, 200],
    ['no key and no token, from elsewhere', {}, remote, {}, 403],
    ['no key and no token, through a proxy', {}, local, { 'x-forwarded-for': '10.0.0.7' }, 403],
    ['a key', { apiKeys: ['k'] }, remote, { authorization: 'Bearer k' }, 200],
    ['a key that is missing', { apiKeys: ['k'] }, local, {}, 401],
    ['a token', { apiKeys: ['k'], adminToken: 't' }, remote, { authorization: 'Bearer t' }, 200],
    ['a token, but the key was sent', { apiKeys: ['k'], adminToken: 't' }, remote, { authorization: 'Bearer k' }, 403],
    ['a token, but another was sent', { apiKeys: ['k'], adminToken: 't' }, remote, { authorization: 'Bearer x' }, 401],
    ['a token without keys', { adminToken: 't' }, remote, { authorization: 'Bearer t' }, 200],
    ['a token without keys that is missing', { adminToken: 't' }, local, {}, 401],
    ['two keys, from here', { apiKeys: ['k', 'l'] }, local, { authorization: 'Bearer k' }, 200],
    ['two keys, from elsewhere', { apiKeys: ['k', 'l'] }, remote, { authorization: 'Bearer k' }, 403],
    ['a named key', { apiKeys: [{ key: 'k', name: 'ann' }] }, remote, { authorization: 'Bearer k' }, 403],
    ['a key marked admin', { apiKeys: [ann, 'l'] }, remote, { authorization: 'Bearer k' }, 200],
    ['a key beside one marked admin', { apiKeys: [ann, 'l'] }, local, { authorization: 'Bearer l' }, 403],
  ])('%s', async (_, settings, bindings, headers, status) => {
    const { app } = openDoor({ settings });
    // The adapter's bindings, as far as the door looks at them.
    const response = await app.request(
      '/internal/stats',
      { headers: { host: 'localhost', ...headers } },
      bindings as never,
    );
    expect(response.status).toBe(status);
  });

  it('shows what is running and ends it properly', async () => {
    const cancelled: unknown[] = [];
    const door = openDoor({
      settings: { adminToken: 't' },
      more: {
        stats: () => ({ threads: 2 }),
        cancel: (keys) => {
          cancelled.push(keys);
          return 1;
        },
      },
    });
    door.generation.script = (run) => run.say(start);
    const stream = await door.post(chat, streaming, { headers: { 'x-request-id': 'mine' } });
    const get = async (path: string, method = 'GET') => (await door.app.request(path, { method, ...key('t') })).json();
    expect(await get('/internal/stats')).toEqual({ state: 'ready', requests: 1, threads: 2 });
    expect(await get('/internal/requests')).toEqual({
      requests: [
        {
          id: 'mine',
          path: chat,
          answer_id: 'chatcmpl-id0001',
          dialect: 'openai-chat',
          model: 'demo',
          phase: 'queued',
          age_ms: expect.any(Number),
          streaming: true,
        },
      ],
    });
    expect(await get('/internal/requests/mine', 'DELETE')).toEqual({ cancelled: 'mine' });
    expect(cancelled).toEqual([{ answerId: 'chatcmpl-id0001' }]);
    expect(await get('/internal/requests/other', 'DELETE')).toMatchObject({ error: { code: 'not_found' } });
    await stream.body?.cancel();
    expect(await get('/internal/requests')).toEqual({ requests: [] });
    expect(await get('/internal/models/raw')).toEqual({ models: [{ id: 'demo', path: 'demo.gguf', metadata: {} }] });
  });

  it('aborts work that cannot end properly', async () => {
    const door = openDoor({ settings: { adminToken: 't' }, more: { cancel: () => 0 } });
    door.generation.script = (run) => run.say(start);
    const pending = door.post(chat, hello, { headers: { 'x-request-id': 'mine' } });
    await until('the run', () => door.generation.runs[0]?.taken === 1);
    await door.app.request('/internal/requests/mine', { method: 'DELETE', ...key('t') });
    const ended = await pending;
    expect(ended.status).toBe(409);
    expect(ended.headers.get('x-should-retry')).toBe('false');
    expect(await ended.json()).toMatchObject({ error: { code: 'cancelled' } });
  });
});

describe('POST /api/inference/cancel', () => {
  it.each([
    [{ cancel_id: 'c' }, { cancelId: 'c' }],
    [{ cancel_id: 'c', session_id: 's' }, { cancelId: 'c' }],
    [{ session_id: 's' }, { sessionId: 's' }],
    [{ completion_id: 'x' }, { answerId: 'x' }],
    [{ response_id: 'x' }, { answerId: 'x' }],
    [
      { message_id: 'x', session_id: 's' },
      { answerId: 'x', sessionId: 's' },
    ],
  ])('%j looks for %j', async (body, keys) => {
    const asked: unknown[] = [];
    const door = openDoor({
      more: {
        cancel: (given) => {
          asked.push(given);
          return 2;
        },
      },
    });
    const response = await door.post('/api/inference/cancel', body);
    expect(await response.json()).toEqual({ cancelled: 2 });
    expect(asked).toEqual([keys]);
  });

  it.each([{}, { cancel_id: '' }, { cancel_id: 7 }, { other: 'x' }])('%j is refused', async (body) => {
    const door = openDoor({ more: { cancel: () => 9 } });
    expect((await door.post('/api/inference/cancel', body)).status).toBe(400);
  });

  it('takes an API key, and the admin token', async () => {
    const door = openDoor({ settings: { apiKeys: ['k'], adminToken: 't' }, more: { cancel: () => 1 } });
    const post = async (name: string) =>
      (await door.post('/api/inference/cancel', { cancel_id: 'c' }, key(name))).status;
    expect([await post('k'), await post('t'), await post('x')]).toEqual([200, 200, 401]);
  });

  it('has a sibling that ends exactly one completion', async () => {
    const door = openDoor({ more: { cancel: ({ answerId }) => (answerId === 'chatcmpl-1' ? 1 : 0) } });
    const post = async (id: string) => (await door.post(`${chat}/${id}/cancel`, '')).status;
    expect([await post('chatcmpl-1'), await post('chatcmpl-2')]).toEqual([200, 404]);
  });

  it('ends a stream with what there is, flagged', async () => {
    const door = openDoor();
    const cancelledEvents: GenerationEvent[] = [start, finish({ cancelled: true })];
    door.generation.script = (run) => run.say(...cancelledEvents);
    const response = await door.post(chat, hello);
    expect(await response.json()).toMatchObject({ cancelled: true, choices: [{ finish_reason: 'stop' }] });
    expect(door.records).toMatchObject([{ outcome: 'cancelled' }]);
  });
});

describe('a server that has no more time', () => {
  it('tells work that is not done, whatever it is, and takes no listeners along', async () => {
    const stopping = new AbortController();
    let asked = false;
    const embed = (_: unknown, { signal }: { readonly signal: AbortSignal }) =>
      new Promise<never>((_resolve, reject) => {
        asked = true;
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
    const door = openDoor({ more: { stopping: stopping.signal, embeddings: { embed } } });
    const waiting = door.post('/v1/embeddings', { input: 'a' });
    await until('the work', () => asked);
    stopping.abort();
    const response = await within('the refusal', waiting);
    expect([response.status, response.headers.get('retry-after')]).toEqual([503, '5']);
    expect(await response.json()).toMatchObject({ error: { code: 'draining' } });
    expect(getEventListeners(stopping.signal, 'abort')).toEqual([]);
  });
});
