import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { openStore, said } from '../chats/support.ts';
import { answer, finish, hello, openDoor, reading, start, until, within } from './support.ts';

const everybody = { owner: '', sees: () => true };
const local = { incoming: { socket: { remoteAddress: '127.0.0.1' } } };

async function openChat() {
  const { store } = await openStore();
  const door = openDoor({ more: { chatStore: store } });
  door.generation.script = (run) => run.say(start);
  const { chatId } = await store.create(everybody, { entries: [said('m1', null, 'Hello')] });
  const place = { chat_id: chatId, entry_id: 'a1', parent: 'm1' };
  const ask = (more: object, body: object = hello) => {
    const init = { method: 'POST', body: JSON.stringify({ ...body, stream: true, resumable: true, ...more }) };
    const headers = { 'content-type': 'application/json', host: 'localhost' };
    return within('an answer', Promise.resolve(door.app.request('/v1/chat/completions', { ...init, headers }, local)));
  };
  const look = async () => {
    for (;;) {
      const { entries } = await store.read(everybody, chatId);
      if (entries.length > 1) return entries.at(-1);
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  /** The kept answer, once it is there. */
  const kept = () => within('the kept answer', look());
  return { ...door, store, chatId, place, ask, kept };
}

describe('an answer that is kept in a chat', () => {
  it('is the message of a whole answer, with what belongs to it', async () => {
    const { ask, place, kept, generation } = await openChat();
    const response = await ask({ chat: place });
    generation.runs[0]?.say(...answer().slice(1));
    await response.text();
    expect(await kept()).toEqual({
      entry_id: 'a1',
      time: expect.any(Number),
      type: 'message',
      parent: 'm1',
      message: {
        role: 'assistant',
        content: 'Hello',
        refusal: null,
        id: expect.stringMatching(/^chatcmpl-/),
        model: 'demo',
        created: 1_750_000_000,
        finish_reason: 'stop',
        seed: 1,
        usage: expect.objectContaining({ completion_tokens: 2 }),
        timings: expect.any(Object),
      },
    });
  });

  it('is kept although nobody reads it', async () => {
    const { ask, place, kept, generation } = await openChat();
    const response = await ask({ chat: place });
    const begun = { type: 'block-start', index: 0, kind: 'text' } as const;
    generation.runs[0]?.say(begun, { type: 'block-delta', index: 0, delta: 'Be' });
    await reading(response)('Be');
    await response.body?.cancel().catch(() => undefined);
    generation.runs[0]?.say(
      { type: 'block-delta', index: 0, delta: 'cause' },
      { type: 'block-end', index: 0 },
      finish(),
    );
    expect(await kept()).toMatchObject({ message: { content: 'Because', finish_reason: 'stop' } });
  });

  it('is kept as far as it came when it fails, with the error', async () => {
    const { ask, place, kept, generation } = await openChat();
    const response = await ask({ chat: place });
    generation.runs[0]?.say(
      { type: 'block-start', index: 0, kind: 'text' },
      { type: 'block-delta', index: 0, delta: 'Half' },
      new ServeError('engine_failure', 'It broke.'),
    );
    await response.text();
    expect(await kept()).toMatchObject({ message: { content: 'Half', error: { message: 'It broke.' } } });
  });

  it('is none where there was no word of it', async () => {
    const { ask, place, store, chatId, generation, logs } = await openChat();
    generation.script = () => undefined;
    const response = ask({ chat: place });
    await until('the run', () => generation.runs.length > 0);
    generation.runs[0]?.say(new ServeError('context_length_exceeded', 'Too long.'));
    expect((await response).status).toBe(400);
    expect((await store.read(everybody, chatId)).entries).toHaveLength(1);
    expect(logs).toEqual([]);
  });

  it.each([
    ['a chat that is not there', { chat_id: 'not-a-chat-here' }, 'chat.chat_id'],
    ['an id that is none', { chat_id: '../../x' }, 'chat.chat_id'],
    ['a parent that is not there', { parent: 'nothing' }, 'chat.parent'],
    ['an entry that is there', { entry_id: 'm1' }, 'chat.entry_id'],
    ['an unknown member', { head: true }, 'chat'],
  ])('is refused before it begins for %s', async (_, more, param) => {
    const { ask, place, generation } = await openChat();
    const response = await ask({ chat: { ...place, ...more } });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param } }]);
    expect(generation.runs).toEqual([]);
  });

  it.each([
    ['a run that ends with its reader', { resumable: false }],
    ['several answers', { n: 2 }],
    ['the rest of a message', { messages: [...hello.messages, { role: 'assistant', content: 'He' }] }],
  ])('is refused for %s', async (_, more) => {
    const { ask, place, generation } = await openChat();
    const response = await ask({ chat: place, ...more });
    expect([response.status, await response.json()]).toMatchObject([400, { error: { param: 'chat' } }]);
    expect(generation.runs).toEqual([]);
  });
});
