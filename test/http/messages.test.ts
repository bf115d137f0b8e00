import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { answer, FakeTime, openDoor, start, within } from './support.ts';

const body = { model: 'claude-sonnet-5', max_tokens: 8, messages: [{ role: 'user', content: 'Hello' }] };
const sent = (event: string) => JSON.stringify({ type: event }).slice(1, -1);

describe('/v1/messages', () => {
  it('streams named events, without [DONE]', async () => {
    const door = openDoor();
    const response = await door.post('/v1/messages', { ...body, stream: true });
    const text = await response.text();
    expect(response.headers.get('content-type')).toContain('text/event-stream');
    expect(text.match(/^event: .*$/gm)).toEqual([
      'event: message_start',
      'event: content_block_start',
      'event: content_block_delta',
      'event: content_block_delta',
      'event: content_block_stop',
      'event: message_delta',
      'event: message_stop',
    ]);
    expect(text).toContain('"id":"msg_id');
    expect(text).not.toContain('[DONE]');
  });

  it('carries the request id under Anthropic’s name too, on answers and on errors', async () => {
    const door = openDoor();
    for (const request of [body, {}]) {
      const { headers } = await door.post('/v1/messages', request, { headers: { 'x-request-id': 'mine' } });
      expect([headers.get('request-id'), headers.get('x-request-id')]).toEqual(['mine', 'mine']);
    }
  });

  it('knows the session of Claude Code, and takes its headers and query', async () => {
    const door = openDoor();
    const headers = {
      'x-claude-code-session-id': 'session-1',
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'claude-code-20250219,interleaved-thinking-2025-05-14',
    };
    const response = await door.post('/v1/messages?beta=true', body, { headers });
    expect(response.status).toBe(200);
    expect(door.generation.runs[0]?.request.keys).toMatchObject({ sessionId: 'session-1' });
  });

  it('is filled with pings while nothing comes', async () => {
    const time = new FakeTime();
    const door = openDoor({ time });
    door.generation.script = (run) => run.say(start);
    const response = await door.post('/v1/messages', { ...body, stream: true });
    const reader = response.body?.getReader();
    await reader?.read();
    const pending = reader?.read();
    await new Promise((resolve) => setImmediate(resolve));
    time.pass(10_000);
    const beat = await within('a ping', Promise.resolve(pending));
    expect(new TextDecoder().decode(beat?.value)).toBe('event: ping\ndata: {"type":"ping"}\n\n');
    door.generation.runs[0]?.say(...answer().slice(1));
    await reader?.cancel();
  });

  it('says in a header what it ignored', async () => {
    const door = openDoor();
    const tools = [{ type: 'web_search_20250305', name: 'web_search' }];
    const response = await door.post('/v1/messages', { ...body, tools });
    expect(response.headers.get('x-serve-model-warning')).toBe(
      'the tool web_search_20250305 was left out: only custom tools can be used here',
    );
  });
});

describe('an error of /v1/messages', () => {
  it.each([
    ['loading', '/v1/messages'],
    ['draining', '/v1/messages'],
    ['draining', '/v1/messages/count_tokens'],
  ] as const)('while %s is a 529 that tells when to come again: %s', async (state, path) => {
    const door = openDoor();
    if (state === 'draining') door.models.current = state;
    else door.generation.script = (run) => run.say(new ServeError('model_loading', 'not in time'));
    const response = await door.post(path, body);
    expect(response.status).toBe(529);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(await response.json()).toMatchObject({ type: 'error', error: { type: 'overloaded_error' } });
  });

  it('of a full queue is a 429 with the time that was computed', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(new ServeError('overloaded', 'queue full', { retryAfterSeconds: 2.1 }));
    const response = await door.post('/v1/messages', { ...body, stream: true });
    expect([response.status, response.headers.get('retry-after')]).toEqual([429, '3']);
    expect(await response.json()).toEqual({
      type: 'error',
      error: { type: 'rate_limit_error', message: 'queue full' },
    });
  });

  it('after the first byte is an error event, and the last one', async () => {
    const door = openDoor();
    door.generation.script = (run) => run.say(start, new ServeError('engine_failure', 'the engine failed'));
    const response = await door.post('/v1/messages', { ...body, stream: true });
    const events = (await response.text()).trimEnd().split('\n\n');
    expect(events.at(-1)).toBe(
      'event: error\ndata: {"type":"error","error":{"type":"api_error","message":"the engine failed"}}',
    );
    expect(events.join()).not.toContain(sent('message_stop'));
  });

  it('of the door itself is in Anthropic’s envelope', async () => {
    const door = openDoor({ settings: { maxBodyBytes: 100 } });
    const large = await door.post('/v1/messages', { ...body, system: 'x'.repeat(200) });
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ type: 'error', error: { type: 'request_too_large' } });
    const broken = await door.post('/v1/messages', '{"model"');
    expect(broken.status).toBe(400);
    expect(await broken.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
    const wrong = await door.app.request('http://localhost/v1/messages/count_tokens');
    expect(wrong.status).toBe(405);
    expect(await wrong.json()).toMatchObject({ type: 'error', error: { type: 'invalid_request_error' } });
  });
});

it('/v1/messages/count_tokens counts what the call would take', async () => {
  const door = openDoor();
  const { max_tokens: _, ...counted } = body;
  const response = await door.post('/v1/messages/count_tokens', counted);
  expect([response.status, await response.json()]).toEqual([200, { input_tokens: 7 }]);
});
