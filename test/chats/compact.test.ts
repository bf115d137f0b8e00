import { appendFile, link, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { compact } from '../../src/chats/compact.ts';
import type { ChatEntry } from '../../src/contract/chats.ts';
import { all, chosen, deletion, edited, everybody, left, openStore, pinned, said, titled } from './support.ts';

let ids = 0;
const options = { now: () => Date.now(), newId: () => `id${++ids}` };

const ofAll = (): ChatEntry[] => [
  said('m1', null, 'one'),
  titled('t1', 'first'),
  said('m2', 'm1', 'two'),
  edited('e1', 'm2', 'x'.repeat(5000)),
  left('h1', 'm1'),
  pinned('p1'),
  chosen('s1', { tools: { tools: ['a'] } }),
  edited('e2', 'm2', 'better'),
  deletion('d1', 'm1'),
  deletion('d2', 'm1', false),
  titled('t2', 'second'),
  pinned('p2', false),
  left('h2', 'm2'),
  chosen('s2', { tools: { tools: [] } }),
];

async function chatOfAll() {
  const opened = await openStore();
  const { chatId } = await opened.store.create(everybody, { entries: ofAll() });
  const folder = join(opened.folder, 'local');
  return { ...opened, chatId, folder, path: join(folder, `${chatId}.jsonl`) };
}

const idsOf = (entries: readonly ChatEntry[]) => entries.map(({ entry_id }) => entry_id);

describe('a chat that is written anew', () => {
  it('holds what counts, in its order, and nothing lies beside it', async () => {
    const { store, chatId, path, folder } = await chatOfAll();
    const before = (await store.list(everybody, all)).chats[0];
    expect(await compact(path, options)).toBe(true);
    const { entries, summary } = await store.read(everybody, chatId);
    expect(idsOf(entries)).toEqual(['m1', 'm2', 'e2', 'd2', 't2', 'p2', 'h2', 's2']);
    const { bytes, revision, ...same } = summary;
    expect(before).toMatchObject(same);
    expect(bytes).toBeLessThan(before?.bytes ?? 0);
    expect(await readdir(folder)).toEqual([`${chatId}.jsonl`]);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('still knows what was left out, and makes readers begin anew', async () => {
    const { store, chatId, path } = await chatOfAll();
    const { revision } = await store.read(everybody, chatId);
    await compact(path, options);
    expect(await store.append(everybody, chatId, ofAll())).toMatchObject({ accepted: [] });
    const part = await store.read(everybody, chatId, revision);
    expect([part.continued, part.entries.length]).toEqual([false, 8]);
    await compact(path, options);
    expect(await store.append(everybody, chatId, ofAll())).toMatchObject({ accepted: [] });
  });

  it('happens by itself where most of it does not count any more', async () => {
    const { store, chatId, path, failures } = await chatOfAll();
    for (let index = 0; index < 40; index++)
      await store.append(everybody, chatId, [edited(`x${index}`, 'm2', 'x'.repeat(10_000))]);
    expect((await stat(path)).size).toBeLessThan(400_000);
    const { entries } = await store.read(everybody, chatId);
    expect(idsOf(entries).filter((id) => id.startsWith('m'))).toEqual(['m1', 'm2']);
    expect(idsOf(entries)).toContain('x39');
    expect(failures).toEqual([]);
  });

  it('is left alone where somebody else is at it, or a later version has written there', async () => {
    const { path } = await chatOfAll();
    await writeFile(`${path}.lock`, '');
    expect(await compact(path, options)).toBe(false);
    await utimes(`${path}.lock`, 1, 1);
    expect(await compact(path, options)).toBe(true);
    await appendFile(path, '\n{"entry_id":"n","time":1,"type":"a later kind"}\n');
    const text = await readFile(path, 'utf8');
    expect(await compact(path, options)).toBe(false);
    expect(await readFile(path, 'utf8')).toBe(text);
  });

  it('loses nothing when its writer is killed before it has copied what came meanwhile', async () => {
    const { store, chatId, path, folder } = await chatOfAll();
    const whole = await readFile(path);
    await compact(path, options);
    // As it was between the rename and the copy, with an append that went into the old file.
    await writeFile(`${path}.before`, `${whole}\n${JSON.stringify(said('late', 'm1'))}\n`);
    const { chats } = await store.list(everybody, all);
    expect(chats[0]?.messages).toBe(3);
    expect(idsOf((await store.read(everybody, chatId)).entries)).toContain('late');
    expect(await readdir(folder)).toEqual([`${chatId}.jsonl`]);
  });

  it('is the same when its writer is killed before the rename', async () => {
    const { store, chatId, path, folder } = await chatOfAll();
    await link(path, `${path}.before`);
    await store.list(everybody, all);
    expect((await store.read(everybody, chatId)).entries).toHaveLength(14);
    expect(await readdir(folder)).toEqual([`${chatId}.jsonl`]);
  });

  it('never brings a deleted chat back', async () => {
    const { store, chatId, path, folder } = await chatOfAll();
    await Promise.all([compact(path, options), store.remove(everybody, chatId, { forever: true })]);
    expect((await readdir(folder)).filter((name) => name.startsWith(chatId))).toEqual([]);
    expect(await compact(path, options)).toBe(false);
    await rm(folder, { recursive: true });
  });

  it('keeps every append that is made at the same time', async () => {
    const { store, chatId, path } = await chatOfAll();
    const other = await openStore(join(path, '..', '..'));
    const appends = Array.from({ length: 60 }, async (_, index) => {
      const writer = index % 2 === 0 ? store : other.store;
      await writer.append(everybody, chatId, [said(`a${index}`, 'm1'), edited(`b${index}`, 'm1', `${index}`)]);
    });
    const rewrites = Array.from({ length: 20 }, () => compact(path, options));
    const done = (await Promise.all([Promise.all(rewrites), Promise.all(appends)]))[0];
    expect(done).toContain(true);
    const messages = idsOf((await store.read(everybody, chatId)).entries).filter((id) => id.startsWith('a'));
    expect(messages.toSorted()).toEqual(Array.from({ length: 60 }, (_, index) => `a${index}`).toSorted());
  });
});
