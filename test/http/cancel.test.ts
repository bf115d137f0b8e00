import { describe, expect, it } from 'vitest';
import { type CancelKeys, createCancelRegistry } from '../../src/generation/cancellation.ts';
import { openDoor } from './support.ts';

const route = '/api/inference/cancel';

/** The door with a real registry; every run in `runs` is running. */
function openWith(runs: Readonly<Record<string, CancelKeys>>, settings = {}) {
  const registry = createCancelRegistry({ clock: () => 0 });
  const cancelled: string[] = [];
  for (const [name, keys] of Object.entries(runs)) registry.register(keys, () => cancelled.push(name));
  const door = openDoor({ settings, more: { cancel: (keys, caller) => registry.cancel(keys, caller) } });
  return { door, cancelled };
}

const runs = {
  'chat, run 1': { cancelId: 'run-1', sessionId: 'thread', answerId: 'chatcmpl-1' },
  'chat, run 2': { cancelId: 'run-2', sessionId: 'thread', answerId: 'chatcmpl-2' },
  'response, choice': { sessionId: 'other', answerId: 'resp_1' },
  message: { answerId: 'msg_1' },
};

describe('POST /api/inference/cancel', () => {
  it.each([
    ['its cancel id', { cancel_id: 'run-1' }, ['chat, run 1']],
    ['its session', { session_id: 'thread' }, ['chat, run 1', 'chat, run 2']],
    ['its completion', { completion_id: 'chatcmpl-2' }, ['chat, run 2']],
    ['its response', { response_id: 'resp_1' }, ['response, choice']],
    ['its message', { message_id: 'msg_1' }, ['message']],
    ['a cancel id alone, whatever stands beside it', { cancel_id: 'run-0', session_id: 'thread' }, []],
    ['a key of which no run is left', { completion_id: 'chatcmpl-9' }, []],
    ['a null beside a key', { cancel_id: null, message_id: 'msg_1' }, ['message']],
  ])('cancels runs by %s', async (_, body, expected) => {
    const { door, cancelled } = openWith(runs);
    const response = await door.post(route, body);
    expect([response.status, await response.json()]).toEqual([200, { cancelled: expected.length }]);
    expect(cancelled).toEqual(expected);
  });

  it.each([
    ['no key', {}],
    ['only nulls', { cancel_id: null, session_id: null }],
    ['an unknown key', { thread_id: 'thread' }],
    ['an empty key', { session_id: '' }],
    ['a key that is no text', { session_id: ['thread'] }],
    ['no object', []],
    ['no body', ''],
  ])('refuses %s and cancels nothing', async (_, body) => {
    const { door, cancelled } = openWith(runs);
    const response = await door.post(route, body);
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: { type: 'invalid_request_error' } });
    expect(cancelled).toEqual([]);
  });

  it('takes an API key, and the admin token', async () => {
    const { door, cancelled } = openWith(runs, { apiKeys: ['user'], adminToken: 'admin' });
    const as = (key: string) =>
      door.post(route, { cancel_id: 'run-1' }, { headers: { authorization: `Bearer ${key}` } });
    expect((await as('nobody')).status).toBe(401);
    expect(cancelled).toEqual([]);
    expect((await as('admin')).status).toBe(200);
    expect(cancelled).toEqual(['chat, run 1']);
  });

  it('works while the server drains', async () => {
    const { door, cancelled } = openWith(runs);
    door.models.current = 'draining';
    expect((await door.post(route, { cancel_id: 'run-1' })).status).toBe(200);
    expect(cancelled).toEqual(['chat, run 1']);
  });
});

describe('POST /v1/chat/completions/{id}/cancel', () => {
  it('cancels exactly this completion', async () => {
    const { door, cancelled } = openWith(runs);
    const response = await door.post('/v1/chat/completions/chatcmpl-1/cancel', '');
    expect([response.status, await response.json()]).toEqual([200, { id: 'chatcmpl-1', cancelled: true }]);
    expect(cancelled).toEqual(['chat, run 1']);
  });

  it('is 404 for one that is not running', async () => {
    const { door, cancelled } = openWith(runs);
    for (const id of ['chatcmpl-9', 'thread', 'run-1', '%20'])
      expect((await door.post(`/v1/chat/completions/${id}/cancel`, {})).status).toBe(404);
    expect(cancelled).toEqual([]);
  });
});
