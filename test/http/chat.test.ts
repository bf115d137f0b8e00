import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import {
  answer,
  FakeTime,
  finish,
  hello,
  leftListeners,
  openDoor,
  reading,
  sseData,
  start,
  until,
  within,
} from './support.ts';

const streaming = { ...hello, stream: true };

describe('POST /v1/chat/completions', () => {
  it('answers with the events collected', async () => {
    const door = openDoor();
    const response = await door.post('/v1/chat/completions', hello);
    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: 'chatcmpl-id0002',
      object: 'chat.completion',
      created: 1_750_000_000,
      model: 'demo',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: 'Hello', refusal: null },
          logprobs: null,
          finish_reason: 'stop',
          seed: 1,
        },
      ],
      usage: {
        prompt_tokens: 10,
        completion_tokens: 2,
        total_tokens: 12,
        prompt_tokens_details: { cached_tokens: 4 },
        completion_tokens_details: { reasoning_tokens: 0 },
      },
      timings: {
        queue_ms: 1,
        cache_n: 4,
        prompt_n: 6,
        prompt_ms: 20,
        prompt_per_second: 300,
        predicted_n: 2,
        predicted_ms: 50,
        predicted_per_second: 40,
      },
    });
  });

  it.each(['/v1/chat/completions', '/chat/completions', '/v1/chat/completions/'])('is found at %s', async (path) => {
    expect((await openDoor().post(path, hello)).status).toBe(200);
  });

  it('streams frames with the headers that keep proxies from buffering', async () => {
    const door = openDoor();
    const response = await door.post('/v1/chat/completions', streaming);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
      'x-request-id': 'req_id0001',
    });
    const frames = sseData(await response.text());
    expect(
      frames.map((frame) => (frame === '[DONE]' ? frame : Reflect.get(Object(frame), 'choices')[0].delta)),
    ).toEqual([{ role: 'assistant', content: '' }, { content: 'Hel' }, { content: 'lo' }, {}, '[DONE]']);
  });

  it('sends the headers at start, before anything was generated', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(start);
    const response = await within('headers', door.post('/v1/chat/completions', streaming));
    const reader = response.body?.getReader();
    const first = await within('first frame', Promise.resolve(reader?.read()));
    expect(new TextDecoder().decode(first?.value)).toContain('"role":"assistant"');
    await reader?.cancel();
  });

  it('does not send headers while the request is queued', async () => {
    const door = openDoor();
    door.generation.script = () => undefined;
    let answered = false;
    const pending = door.post('/v1/chat/completions', streaming).finally(() => {
      answered = true;
    });
    await until('the run', () => door.generation.runs.length === 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    door.generation.runs[0]?.say(new ServeError('overloaded', 'queue full', { retryAfterSeconds: 2.1 }));
    const response = await within('the refusal', pending);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
  });

  it('gives the answer id and the session of the headers to the generation, the body first', async () => {
    const door = openDoor();
    await door.post('/v1/chat/completions', hello, { headers: { 'x-session-affinity': 'from-header' } });
    await door.post('/v1/chat/completions', { ...hello, session_id: 'from-body' }, { headers: { 'session-id': 'h' } });
    expect(door.generation.runs.map(({ request }) => request.keys)).toEqual([
      { answerId: 'chatcmpl-id0002', sessionId: 'from-header' },
      { answerId: 'chatcmpl-id0004', sessionId: 'from-body' },
    ]);
  });

  it('names what it accepted and does not act on', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...answer(['a'], finish({ warnings: ['schema loosened: é'] })));
    const response = await door.post('/v1/chat/completions', { ...hello, use_beam_search: true });
    expect(response.headers.get('x-serve-model-warning')).toBe(
      'use_beam_search is not supported and was ignored; schema loosened: ?',
    );
  });
});

describe('an error', () => {
  it.each([
    ['before the first byte of a stream', streaming],
    ['of a plain answer', hello],
  ])('%s has its true status and shape', async (_, body) => {
    const door = openDoor();
    door.generation.script = (run) =>
      run.say(
        new ServeError('context_length_exceeded', 'too long', {
          param: 'messages',
          tokens: { needed: 9, available: 8, asked: -1, estimated: false },
        }),
      );
    const response = await door.post('/v1/chat/completions', body);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({
      error: {
        message: 'too long',
        type: 'invalid_request_error',
        param: 'messages',
        code: 'context_length_exceeded',
        tokens: { needed: 9, available: 8, asked: -1, estimated: false },
      },
    });
    expect(door.records).toMatchObject([{ status: 400, outcome: 'context_length_exceeded' }]);
  });

  it('after the first byte is a frame, and the stream still ends with its terminator', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(start, new ServeError('engine_failure', 'the engine failed'));
    const response = await door.post('/v1/chat/completions', streaming);
    expect(response.status).toBe(200);
    expect(sseData(await response.text()).slice(1)).toEqual([
      { error: { message: 'the engine failed', type: 'server_error', param: null, code: 'engine_failure' } },
      '[DONE]',
    ]);
    expect(door.records).toMatchObject([{ status: 200, outcome: 'engine_failure', error: 'the engine failed' }]);
  });

  it.each([
    ['a stream', streaming, 200],
    ['a plain answer', hello, 500],
  ])('comes out of %s that ends without finish, not a short answer', async (_, body, status) => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...answer().slice(0, 3), 'end');
    const response = await door.post('/v1/chat/completions', body);
    expect(response.status).toBe(status);
    expect(await response.text()).toContain('The generation ended without its finish event.');
  });

  it('that nobody foresaw is a 500 without internals, and the log has its cause', async () => {
    const door = openDoor();
    door.generation.generate = () => {
      throw new Error('secret path /etc/keys');
    };
    const response = await door.post('/v1/chat/completions', hello);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain('secret');
    expect(JSON.stringify(door.logs, (_, value) => (value instanceof Error ? value.message : value))).toContain(
      'secret',
    );
  });
});

describe('several choices', () => {
  it('come as they are generated, each in its own order, and end together', async () => {
    const door = openDoor();
    const collected: string[] = [];
    door.generation.script = (run, index) => run.say(...answer(index === 0 ? ['a', 'b'] : ['x', 'y', 'z']));
    const response = await door.post('/v1/chat/completions', {
      ...streaming,
      n: 2,
      seed: 5,
      stream_options: { include_usage: true },
    });
    const frames = sseData(await response.text());
    for (const choice of [0, 1])
      collected.push(
        frames
          .flatMap((frame) => (frame === '[DONE]' ? [] : Reflect.get(Object(frame), 'choices')))
          .filter(({ index }: { index: number }) => index === choice)
          .map(({ delta }: { delta: { content?: string } }) => delta.content ?? '')
          .join(''),
      );
    expect(collected).toEqual(['ab', 'xyz']);
    expect(frames.at(-1)).toBe('[DONE]');
    expect(frames.at(-2)).toMatchObject({ choices: [], usage: { prompt_tokens: 10, completion_tokens: 4 } });
    expect(door.generation.runs.map(({ request }) => request.sampling.seed)).toEqual([5, 6]);
  });

  it('do not wait for one that has no slot yet', async () => {
    const door = openDoor();
    door.generation.script = (run, index) => {
      if (index === 0) run.say(...answer(['first']));
    };
    const response = await within('headers', door.post('/v1/chat/completions', { ...streaming, n: 2 }));
    const read = reading(response);
    expect(await read('"finish_reason":"stop"')).toContain('first');
    door.generation.runs[1]?.say(...answer(['second']));
    expect(await read('[DONE]')).toContain('second');
  });

  it('stop when one of them fails', async () => {
    const door = openDoor();
    door.generation.script = (run, index) =>
      index === 0 ? run.say(start) : run.say(start, new ServeError('engine_failure', 'broken'));
    const response = await door.post('/v1/chat/completions', { ...hello, n: 2 });
    expect(response.status).toBe(500);
    await until('the other choice to stop', () => door.generation.runs[0]?.stoppedBy !== undefined);
  });
});

describe('a client that leaves', () => {
  it.each([
    ['while queued', hello, [], 0],
    ['while queued for a stream', streaming, [], 0],
    ['in a plain answer', hello, [start], 1],
  ])('%s stops the work and leaves no listener behind', async (_, body, events, taken) => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...events);
    const client = new AbortController();
    const pending = door.post('/v1/chat/completions', body, { signal: client.signal });
    await until('the run', () => door.generation.runs[0]?.taken === taken);
    client.abort('Error: aborted');
    await within('the end of the request', pending);
    const run = door.generation.runs[0];
    await until('the work to stop', () => run?.stoppedBy !== undefined);
    expect(run?.stoppedBy).toMatchObject({ code: 'client_closed' });
    expect(leftListeners(door)).toBe(0);
    expect(door.records).toMatchObject([{ outcome: 'client_closed', status: 499 }]);
  });

  it('in the middle of a stream stops the work and leaves no listener behind', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(start);
    const response = await door.post('/v1/chat/completions', streaming);
    const reader = response.body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await reader?.cancel();
    await pending;
    const run = door.generation.runs[0];
    await until('the work to stop', () => run?.stoppedBy !== undefined);
    expect(run?.stoppedBy).toMatchObject({ code: 'client_closed' });
    expect(leftListeners(door)).toBe(0);
    await until('the line in the log', () => door.records.length > 0);
    expect(door.records).toMatchObject([{ outcome: 'client_closed', status: 200, inputTokens: 10, outputTokens: 0 }]);
  });

  it('leaves no listener and one log line after a whole stream either', async () => {
    const door = openDoor();
    const response = await door.post('/v1/chat/completions', streaming);
    await response.text();
    expect(leftListeners(door)).toBe(0);
    expect(door.records).toEqual([
      {
        requestId: 'req_id0001',
        route: '/v1/chat/completions',
        method: 'POST',
        path: '/v1/chat/completions',
        status: 200,
        dialect: 'openai-chat',
        model: 'demo',
        inputTokens: 10,
        cachedTokens: 4,
        outputTokens: 2,
        queueMs: 1,
        firstTokenMs: expect.any(Number),
        totalMs: expect.any(Number),
        outcome: 'stop',
      },
    ]);
  });
});

describe('a slow reader', () => {
  it('takes one event at a time: nothing piles up', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(...answer(Array(1000).fill('x')));
    const response = await door.post('/v1/chat/completions', streaming);
    const reader = response.body?.getReader();
    await reader?.read();
    await new Promise((resolve) => setImmediate(resolve));
    expect(door.generation.runs[0]?.taken).toBeLessThan(6);
    await reader?.cancel();
  });

  it('that takes nothing for too long is cut off', async () => {
    const time = new FakeTime();
    const door = openDoor({ time });
    door.generation.script = (run) => run.say(...answer(Array(100).fill('x')));
    const response = await door.post('/v1/chat/completions', streaming);
    const reader = response.body?.getReader();
    await reader?.read();
    time.pass(119_999);
    expect(door.records).toEqual([]);
    time.pass(1);
    await expect(reader?.read()).rejects.toThrow('stopped reading');
    await until('the work to stop', () => door.generation.runs[0]?.stoppedBy !== undefined);
    expect(door.records).toMatchObject([{ outcome: 'client_closed', error: 'The client stopped reading its stream.' }]);
    expect(time.waiting).toBe(0);
  });
});

describe('silence', () => {
  it('is filled with a comment every 10 s, and only while the reader waits', async () => {
    const time = new FakeTime();
    const door = openDoor({ time });
    door.generation.script = (run) => run.say(start);
    const response = await door.post('/v1/chat/completions', streaming);
    const reader = response.body?.getReader();
    await reader?.read();
    for (const _ of [1, 2, 3]) {
      const pending = reader?.read();
      await new Promise((resolve) => setImmediate(resolve));
      time.pass(10_000);
      const beat = await within('a heartbeat', Promise.resolve(pending));
      expect(new TextDecoder().decode(beat?.value)).toBe(': still working\n\n');
    }
    // Nobody reads: at most one is kept, and the next read finds it.
    time.pass(60_000);
    door.generation.runs[0]?.say(...answer(['end']).slice(1));
    reader?.releaseLock();
    const rest = await reading(response)('[DONE]');
    expect(rest.split(': still working').length - 1).toBeLessThanOrEqual(1);
    await until('the end', () => door.records.length === 1);
    expect(time.waiting).toBe(0);
  });
});

describe('a stream that waits for its slot', () => {
  const ask = { ...hello, prompt: 'Hello', inputs: 'Hello', input_prefix: 'a', input_suffix: 'b', max_tokens: 10 };
  const dialects = [
    ['/v1/chat/completions', /^: still working\n\n$/],
    ['/v1/completions', /^: keep-alive\n\n$/],
    ['/v1/messages', /^event: ping\ndata: \{"type":"ping"\}\n\n$/],
    ['/v1/responses', /^: still working\n\n$/],
    ['/infill', /^: keep-alive\n\n$/],
    ['/generate_stream', /^: keep-alive\n\n$/],
    ['/generate/stream', /^: keep-alive\n\n$/],
    ['/api/chat', /^\{"model":"demo",[^\n]*"content":""[^\n]*"done":false\}\n$/],
    ['/api/generate', /^\{"model":"demo",[^\n]*"response":"","done":false\}\n$/],
  ] as const;

  const waiting = async (path: string) => {
    const time = new FakeTime();
    const door = openDoor({ time });
    door.generation.script = () => undefined;
    const body = path === '/v1/responses' ? { input: 'Hello' } : ask;
    const pending = door.post(path, { ...body, stream: true });
    await until('the run', () => door.generation.runs.length === 1);
    let answered = false;
    void pending.then(() => {
      answered = true;
    });
    time.pass(9_999);
    await new Promise((resolve) => setImmediate(resolve));
    expect(answered).toBe(false);
    return { time, door, pending };
  };

  it.each(dialects)('shows life after 10 s at %s, and goes on', async (path, beat) => {
    const { time, door, pending } = await waiting(path);
    time.pass(1);
    const response = await within('headers', pending);
    expect(response.status).toBe(200);
    const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
    const read = async (what: string) => (await within(what, Promise.resolve(reader?.read())))?.value ?? '';
    expect(await read('the first sign')).toMatch(beat);
    const second = read('the second sign');
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(10_000);
    expect(await second).toMatch(beat);
    door.generation.runs[0]?.say(...answer(['said']));
    let rest = '';
    for (let piece = await read('the answer'); piece !== ''; piece = await read('the answer')) rest += piece;
    expect(rest).toContain('said');
    await until('the end', () => door.records.length === 1);
    expect(door.records).toMatchObject([{ status: 200, outcome: 'stop' }]);
    expect([time.waiting, leftListeners(door)]).toEqual([0, 0]);
  });

  it.each(dialects)('is refused with its true status before that, and in a frame after it, at %s', async (path) => {
    const refusal = () => new ServeError('overloaded', 'No slot became free.', { retryAfterSeconds: 7 });
    const early = await waiting(path);
    early.door.generation.runs[0]?.say(refusal());
    const response = await within('the refusal', early.pending);
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '7']);
    expect(early.time.waiting).toBe(0);

    const late = await waiting(path);
    late.time.pass(1);
    const stream = await within('headers', late.pending);
    late.door.generation.runs[0]?.say(refusal());
    expect(stream.status).toBe(200);
    expect(await within('the frame', stream.text())).toContain('No slot became free.');
    expect(late.door.records).toMatchObject([{ status: 200, outcome: 'overloaded' }]);
    expect([late.time.waiting, leftListeners(late.door)]).toEqual([0, 0]);
  });

  it('is given up when its client leaves after the first sign', async () => {
    const { time, door, pending } = await waiting('/v1/chat/completions');
    time.pass(1);
    const reader = (await pending).body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await until('the work to stop', () => door.generation.runs[0]?.stoppedBy !== undefined);
    expect(door.generation.runs[0]?.stoppedBy).toMatchObject({ code: 'client_closed' });
    expect([time.waiting, leftListeners(door)]).toEqual([0, 0]);
  });
});

describe('the model of an answer', () => {
  const servedStart = { ...start, model: 'real' };

  it('is the one that its start names, whatever was expected', async () => {
    const door = openDoor();
    door.models.current = 'loading';
    door.generation.script = (run) => run.say(servedStart, ...answer().slice(1));
    const plain = await (await door.post('/v1/chat/completions', hello)).json();
    expect(plain).toMatchObject({ model: 'real' });
    const streamed = await (await door.post('/v1/chat/completions', streaming)).text();
    const models = sseData(streamed).flatMap((frame) =>
      frame === '[DONE]' ? [] : Reflect.get(Object(frame), 'model'),
    );
    expect(new Set(models)).toEqual(new Set(['real']));
    expect(door.records.map(({ model }) => model)).toEqual(['real', 'real']);
  });

  it('is a guess in what is said before', async () => {
    const time = new FakeTime();
    const door = openDoor({ time });
    door.models.current = 'loading';
    door.generation.script = () => undefined;
    const pending = door.post('/api/chat', streaming);
    await until('the run', () => door.generation.runs.length === 1);
    time.pass(10_000);
    const read = reading(await pending);
    expect(await read('\n')).toContain('"model":"guess"');
    door.generation.runs[0]?.say({ type: 'queued', position: 1 }, servedStart, ...answer().slice(1));
    const rest = await read('"done":true');
    expect(rest).toContain('"model":"real"');
    expect(rest).not.toContain('guess');
  });
});
