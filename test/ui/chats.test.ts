import { signal } from '@preact/signals';
import { expect, it } from 'vitest';
import { memoryStore } from '../../src/ui/chats/memory-store.ts';
import type { AssistantMessage } from '../../src/ui/chats/message.ts';
import type { ChatStore } from '../../src/ui/chats/store.ts';
import { Chats } from '../../src/ui/state/chats.ts';
import type { Runs } from '../../src/ui/state/runs.ts';

let ids = 0;

/** A store that reads when it is let to, and tells of a change by others when it is told to. */
function heldStore() {
  const held: (() => void)[] = [];
  const listeners: ((id: string) => void)[] = [];
  const kept = memoryStore(() => 0);
  const store: ChatStore = {
    ...kept,
    read: async (id) => {
      const entries = await kept.read(id);
      await new Promise<void>((resolve) => held.push(resolve));
      return entries;
    },
    subscribe: (listener) => {
      listeners.push(listener);
      return () => undefined;
    },
  };
  const tell = (id: string) => {
    for (const listener of listeners) listener(id);
  };
  return { store, held, tell };
}

it('keeps an answer that became whole while the chat was read anew because others changed it', async () => {
  const { store, held, tell } = heldStore();
  const asked: AssistantMessage[] = [];
  const runs: Runs = {
    live: signal(new Map()),
    ofChat: () => undefined,
    start: ({ chatId, message }) => {
      asked.push(message);
      const nothing = () => undefined;
      return {
        chatId,
        message: signal(message),
        phase: signal({ kind: 'sent' }),
        stop: nothing,
        hurry: nothing,
        answerNow: nothing,
      };
    },
    pickUp: () => {
      throw new Error('there is nothing to pick up');
    },
  };
  const chats = new Chats({
    store,
    environment: { newId: () => `id-${++ids}`, now: () => ids, hash: async () => '' },
    loadImages: async () => undefined,
    runs: () => runs,
    settings: () => ({}),
    prompt: () => ({ systemPrompt: '', keepsThoughts: false, imageUrl: () => undefined }),
    findRun: async () => undefined,
    storeFailed: (error) => {
      throw error;
    },
  });
  const id = chats.send('Hello');
  tell(id);
  await expect.poll(() => held.length).toBe(1);
  const [message] = asked;
  if (!message) throw new Error('nothing was asked');
  chats.answered(id, { ...message, blocks: [{ kind: 'text', text: 'Hi there' }], outcome: 'stop' });
  held[0]?.();
  await expect.poll(() => chats.listed.value).toBe(true);
  expect(chats.path.value.at(-1)?.blocks).toEqual([{ kind: 'text', text: 'Hi there' }]);
});
