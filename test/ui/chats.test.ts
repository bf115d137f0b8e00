import { type Signal, signal } from '@preact/signals';
import { expect, it } from 'vitest';
import type { ApiClient } from '../../src/ui/api/client.ts';
import { ApiFailure } from '../../src/ui/api/failure.ts';
import { memoryStore } from '../../src/ui/chats/memory-store.ts';
import { type AssistantMessage, type Outcome, textOf } from '../../src/ui/chats/message.ts';
import { ServerStore } from '../../src/ui/chats/server-store.ts';
import type { ChatStore } from '../../src/ui/chats/store.ts';
import { comparedAnswers } from '../../src/ui/chats/tree.ts';
import { Chats } from '../../src/ui/state/chats.ts';
import { portableChats, takeChats } from '../../src/ui/state/portable.ts';
import type { Run, RunPhase, Runs } from '../../src/ui/state/runs.ts';

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

/** The chats over a store, with runs that go on until the test ends them. */
function openChats(store: ChatStore, settings: Readonly<Record<string, unknown>> = {}) {
  const live = signal<ReadonlyMap<string, Run>>(new Map());
  const said = new Map<string, Signal<AssistantMessage>>();
  const asked: AssistantMessage[] = [];
  const bodies: (() => Promise<Readonly<Record<string, unknown>>>)[] = [];
  const runs: Runs = {
    live,
    tokens: new Map(),
    ofChat: (chatId) => [...live.value.values()].findLast((run) => run.chatId === chatId),
    start: ({ chatId, message, body }) => {
      asked.push(message);
      bodies.push(body);
      const nothing = () => undefined;
      const growing = signal(message);
      said.set(message.id, growing);
      const phase = signal<RunPhase>({ kind: 'sent' });
      const answerId = undefined;
      const run = { chatId, message: growing, phase, answerId, stop: nothing, hurry: nothing, answerNow: nothing };
      live.value = new Map(live.value).set(message.id, run);
      return run;
    },
    pickUp: () => {
      throw new Error('there is nothing to pick up');
    },
  };
  const failures: unknown[] = [];
  const chats = new Chats({
    store,
    environment: { newId: () => `id-${++ids}`, now: () => ids, hash: async () => '' },
    loadImages: async () => undefined,
    runs: () => runs,
    settings: () => settings,
    newSettings: () => ({}),
    prompt: () => ({ systemPrompt: '', keepsThoughts: false, imageUrl: () => undefined }),
    findRun: async () => undefined,
    storeFailed: (error) => failures.push(error),
  });
  const latest = () => {
    const message = asked.at(-1);
    if (!message) throw new Error('nothing was asked');
    return message;
  };
  return {
    chats,
    failures,
    /** Answers that were begun, and continued. */
    asked,
    bodies,
    runs,
    /** What the latest answer says from here on. */
    say: (text: string) => {
      const growing = said.get(latest().id);
      if (growing) growing.value = { ...latest(), blocks: [{ kind: 'text', text }] };
    },
    end: (id: string, text: string, outcome: Outcome = 'stop') => {
      const message = latest();
      live.value = new Map();
      chats.answered(id, { ...message, blocks: [{ kind: 'text', text }], outcome });
    },
  };
}

const texts = (chats: Chats) => chats.path.value.map((message) => textOf(message));

it('keeps an answer that became whole while the chat was read anew because others changed it', async () => {
  const { store, held, tell } = heldStore();
  const { chats, end } = openChats(store);
  const id = chats.send('Hello');
  tell(id);
  await expect.poll(() => held.length).toBe(1);
  end(id, 'Hi there');
  held[0]?.();
  await expect.poll(() => chats.listed.value).toBe(true);
  expect(texts(chats)).toEqual(['Hello', 'Hi there']);
});

it('lets a chat go that is removed while it is answered, and brings it back with what was said by then', async () => {
  const { chats, say, end, failures } = openChats(memoryStore(() => 0));
  const id = chats.send('Hello');
  say('Hi th');
  await chats.remove(id);
  end(id, 'Hi there', 'stopped');
  expect(chats.list.value).toEqual([]);
  await chats.restore(id);
  await chats.show(id);
  expect(texts(chats)).toEqual(['Hello', 'Hi th']);
  expect(failures).toEqual([]);
});

it('has no chat any more that was answered when all were wiped', async () => {
  const store = memoryStore(() => 0);
  const { chats, say, end } = openChats(store);
  const id = chats.send('Hello');
  say('Hi th');
  await chats.wipe();
  end(id, 'Hi there', 'stopped');
  await chats.restore(id);
  expect(chats.list.value).toEqual([]);
  expect(await store.list()).toEqual([]);
});

it('shows what a file adds to the open chat, and goes on with the answer that is being written in it', async () => {
  const { chats, end } = openChats(memoryStore(() => 0));
  const id = chats.send('Hello');
  const message = { id: 'other', parent: null, role: 'user', time: 0, blocks: [{ kind: 'text', text: 'Ho' }] } as const;
  await takeChats(chats.parts, [{ id, entries: [{ entry_id: 'other', time: 0, type: 'message', message }] }]);
  expect(chats.open.value?.messages.has('other')).toBe(true);
  end(id, 'Hi there');
  expect(texts(chats)).toEqual(['Hello', 'Hi there']);
});

it('reads what it could not read when the store is there again, and tells of a title that was not kept', async () => {
  const kept = memoryStore(() => 0);
  const message = { id: 'one', parent: null, role: 'user', time: 0, blocks: [{ kind: 'text', text: 'Ho' }] } as const;
  await kept.append('chat-one', [{ entry_id: 'one', time: 0, type: 'message', message }]);
  let isAway = true;
  const orAway = async <Result>(work: () => Promise<Result>) => {
    if (isAway) throw new Error('away');
    return work();
  };
  const list = () => orAway(kept.list);
  const read = (id: string) => orAway(() => kept.read(id));
  const { chats, failures } = openChats({ ...kept, list, read });
  await chats.start('tab');
  await expect(chats.show('chat-one')).rejects.toThrow('away');
  await chats.rename('chat-one', 'A name');
  expect(failures).toEqual([new Error('away')]);
  expect(chats.listed.value).toBe(false);
  isAway = false;
  await chats.refresh();
  expect(chats.list.value.map(({ id }) => id)).toEqual(['chat-one']);
  expect(texts(chats)).toEqual(['Ho']);
});

function nothingElse(): never {
  throw new Error('nothing else is asked for');
}

it('removes a chat on the server behind what was written to it before', async () => {
  const calls: string[] = [];
  const held: (() => void)[] = [];
  const api: ApiClient = {
    call: async (path, { method = 'POST' } = {}) => {
      calls.push(`${method} ${path}`);
      await new Promise<void>((resolve) => held.push(resolve));
      throw new ApiFailure('refused', 'There is no such chat.', { status: 404 });
    },
    stream: nothingElse,
    bytes: nothingElse,
  };
  const follow = () => () => undefined;
  const store = new ServerStore({ api, partials: memoryStore(() => 0), after: () => undefined, follow });
  const appended = store.append('chat-one', []);
  const written = store.append('chat-one', [{ entry_id: 'a', time: 0, type: 'pin', pinned: true }]);
  const removed = store.remove('chat-one');
  await expect.poll(() => held.length).toBe(1);
  expect(calls).toEqual(['POST api/chats']);
  held[0]?.();
  await expect(written).rejects.toThrow('no such chat');
  await expect.poll(() => held.length).toBe(2);
  held[1]?.();
  await Promise.all([appended, removed]);
  expect(calls).toEqual(['POST api/chats', 'DELETE api/chats/chat-one']);
});

it('keeps later what its store would not take, in order; exports have it before', async () => {
  const inner = memoryStore(() => 0);
  let full = true;
  const store: ChatStore = {
    ...inner,
    append: (id, entries) => (full ? Promise.reject(new Error('full')) : inner.append(id, entries)),
  };
  const { chats, end, failures } = openChats(store);
  const id = chats.send('Hello');
  end(id, 'Hi there');
  await expect.poll(() => failures.length).toBe(3);
  const [portable] = await portableChats(chats.parts, [id]);
  expect(portable?.entries.map(({ type }) => type)).toEqual(['message', 'title', 'message']);
  full = false;
  chats.mark([], { muted: true });
  await expect.poll(() => failures.at(-1)).toBeUndefined();
  expect((await inner.read(id)).map(({ type }) => type)).toEqual(['message', 'title', 'message']);
  full = true;
  chats.mark([chats.path.value[0]?.id ?? ''], { muted: true });
  await expect.poll(() => failures.length).toBe(5);
  await chats.remove(id);
  full = false;
  await chats.keepRefused();
  await inner.restore(id);
  expect(await inner.read(id)).toHaveLength(3);
});

it('takes back what was shortened or left out in its own chat, whichever is open by then', async () => {
  const { chats, end } = openChats(memoryStore(() => 0));
  const id = chats.send('Hello');
  end(id, 'Hi there');
  const ids = chats.path.value.map((message) => message.id);
  const shorter = chats.shorten(new Map([[ids[1] ?? '', 'Hi']]));
  const leftOut = chats.mark(ids, { muted: true });
  expect(chats.path.value).toMatchObject([{ muted: true }, { muted: true, short: 'Hi' }]);
  await chats.show(undefined);
  chats.send('Another one');
  leftOut();
  shorter();
  await chats.show(id);
  for (const message of chats.path.value) {
    expect(message.muted).not.toBe(true);
    expect(message.short).toBeUndefined();
  }
});

it('asks for several answers with seeds of their own, and goes on from the one that was taken, read again too', async () => {
  const store = memoryStore(() => 0);
  const { chats, asked, bodies } = openChats(store, { seed: 7 });
  const id = chats.send('Hello', [], 3);
  const [first, second, third] = asked;
  if (!first || !second || !third) throw new Error('three were asked for');
  expect(await Promise.all(bodies.map(async (body) => (await body()).seed))).toEqual([7, 8, 9]);
  expect(chats.path.value.at(-1)?.id).toBe(first.id);
  const end = (message: AssistantMessage, text: string) =>
    chats.answered(id, { ...message, blocks: [{ kind: 'text', text }], outcome: 'stop' });
  end(third, 'three');
  chats.goOnFrom(second.id);
  end(second, 'two');
  end(first, 'one');
  expect(texts(chats)).toEqual(['Hello', 'two']);
  const again = openChats(store).chats;
  await again.show(id);
  expect(texts(again)).toEqual(['Hello', 'two']);
  const open = again.open.value;
  const question = again.path.value[0]?.id;
  if (!open || question === undefined) throw new Error('the chat is open');
  expect(comparedAnswers(open, question).map(textOf)).toEqual(['three', 'two', 'one']);
});

it('branches at a token: what stood before it stays, and the model goes on from what was taken', () => {
  const { chats, end, asked, runs } = openChats(memoryStore(() => 0));
  const id = chats.send('Hello');
  const first = asked.at(-1)?.id ?? '';
  const tokens = [{ text: 'Good', probability: 1, top: [], block: 0, from: 0 }];
  const branch = { block: 0, start: 4, text: ' day', tokens };
  chats.branch(first, branch);
  expect(asked, 'not while it is written').toHaveLength(1);
  end(id, 'Good morning to you');
  chats.branch(first, branch);
  expect(asked.at(-1)).toMatchObject({ blocks: [{ kind: 'text', text: 'Good day' }] });
  expect(asked.at(-1)?.outcome).toBeUndefined();
  expect(runs.tokens.get(asked.at(-1)?.id ?? '')).toBe(tokens);
  end(id, 'Good day to you');
  expect(texts(chats)).toEqual(['Hello', 'Good day to you']);
  chats.turn(asked.at(-1)?.id ?? '', -1);
  expect(texts(chats)).toEqual(['Hello', 'Good morning to you']);
});
