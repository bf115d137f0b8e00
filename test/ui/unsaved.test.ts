import { expect, it } from 'vitest';
import type { ChatEntry } from '../../src/ui/chats/entries.ts';
import { memoryStore } from '../../src/ui/chats/memory-store.ts';
import type { ChatStore } from '../../src/ui/chats/store.ts';
import { withUnsaved } from '../../src/ui/chats/unsaved.ts';

const entry = (id: string): ChatEntry => ({ entry_id: id, time: 1, type: 'title', title: id, by: 'person' });

function tab() {
  const kept = new Map<string, string>();
  const leaving: (() => void)[] = [];
  return {
    kept,
    leave: () => {
      for (const callback of leaving.splice(0)) callback();
    },
    options: {
      storage: {
        getItem: (name: string) => kept.get(name) ?? null,
        setItem: (name: string, value: string) => void kept.set(name, value),
        removeItem: (name: string) => void kept.delete(name),
      },
      onLeave: (callback: () => void) => void leaving.push(callback),
    },
  };
}

/** A store whose page goes away before anything has arrived. */
const breaksOff = (): ChatStore => ({ ...memoryStore(() => 0), append: () => new Promise(() => undefined) });

it('hands what had not arrived when the page went away to the page after it, once', async () => {
  const { kept, leave, options } = tab();
  const first = await withUnsaved(breaksOff(), options);
  void first.append('chat', [entry('one'), entry('two')]);
  void first.append('other', [entry('three')]);
  leave();
  const store = memoryStore(() => 0);
  const second = await withUnsaved(store, options);
  expect(await second.read('chat')).toEqual([entry('one'), entry('two')]);
  expect(await second.read('other')).toEqual([entry('three')]);
  leave();
  expect([...kept]).toEqual([]);
});

it('keeps nothing aside that has arrived, and takes nothing that it did not write', async () => {
  const { kept, leave, options } = tab();
  const store = await withUnsaved(
    memoryStore(() => 0),
    options,
  );
  await store.append('chat', [entry('one')]);
  leave();
  expect([...kept]).toEqual([]);
  for (const text of ['no JSON', '{}', '[1, null, {"id": "chat"}]']) {
    kept.set('serve-model:unsaved', text);
    const next = await withUnsaved(
      memoryStore(() => 0),
      options,
    );
    expect(await next.list()).toEqual([]);
  }
});

it('goes on where the storage of the tab is full', async () => {
  const { leave, options } = tab();
  const full = () => {
    throw new Error('QuotaExceededError');
  };
  const store = await withUnsaved(breaksOff(), { ...options, storage: { ...options.storage, setItem: full } });
  void store.append('chat', [entry('one')]);
  expect(leave).not.toThrow();
});
