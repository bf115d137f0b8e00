import fs, { mkdir, readdir, readFile, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { all, emptyFolder, everybody, openStore, said, titled } from './support.ts';

const summaries = '.summaries';

/** Names of the files that are opened, from now on. */
let opened: string[] = [];
const { open } = fs;
beforeEach(() => {
  opened = [];
  fs.open = (path, ...more) => {
    opened.push(basename(String(path)));
    return open(path, ...more);
  };
  syncBuiltinESMExports();
});
afterEach(() => {
  fs.open = open;
  syncBuiltinESMExports();
});

const logs = () => opened.filter((name) => name.endsWith('.jsonl'));
const list = async (folder: string, query = all) =>
  (await (await openStore(folder)).store.list(everybody, query)).chats;

/** Three chats and one in the bin, as a server leaves them that was ended in order. */
async function keptChats() {
  const folder = await emptyFolder();
  const { store } = await openStore(folder);
  for (const name of ['one', 'two', 'three', 'four'])
    await store.create(everybody, {
      chatId: `chat-${name}`,
      entries: [said('m1', null, `about ${name}`), titled('t1', `Title ${name}`)],
    });
  await store.remove(everybody, 'chat-four', { forever: false });
  const chats = (await store.list(everybody, all)).chats;
  const binned = (await store.list(everybody, { ...all, bin: true })).chats;
  await store.settled();
  opened = [];
  return { folder, local: join(folder, 'local'), store, chats, binned };
}

describe('the first list of a server', () => {
  it('reads no chat that has not changed since an earlier one read it, in the bin neither', async () => {
    const { folder, local, chats, binned } = await keptChats();
    expect((await stat(join(local, summaries))).mode & 0o777).toBe(0o600);
    expect(await list(folder)).toEqual(chats);
    expect(await list(folder, { ...all, bin: true })).toEqual(binned);
    expect(logs()).toEqual([]);
    expect(opened).toContain(summaries);
  });

  it('reads the one that another process has written to, and finds the words of all', async () => {
    const { folder, store } = await keptChats();
    await store.append(everybody, 'chat-two', [titled('t2', 'Another title')]);
    opened = [];
    const next = await openStore(folder);
    const titles = (await next.store.list(everybody, all)).chats.map(({ title }) => title);
    expect(titles.toSorted()).toEqual(['Another title', 'Title one', 'Title three']);
    expect(logs()).toEqual(['chat-two.jsonl']);
    const found = await next.store.list(everybody, { ...all, words: ['about', 'three'] });
    expect(found.chats.map(({ chatId }) => chatId)).toEqual(['chat-three']);
  });

  it('believes the log and not the summary, where a file has the same size and time and another content', async () => {
    const { folder, local } = await keptChats();
    const path = join(local, 'chat-one.jsonl');
    const { atime, mtime } = await stat(path);
    await writeFile(path, (await readFile(path, 'utf8')).replace('Title one', 'Title 1ne'));
    await utimes(path, atime, mtime);
    const titles = (await list(folder)).map(({ title }) => title);
    expect(titles.toSorted()).toEqual(['Title 1ne', 'Title three', 'Title two']);
  });

  it('is the same after every cut of what was kept of an earlier one', async () => {
    const { folder, local, chats } = await keptChats();
    const path = join(local, summaries);
    const whole = await readFile(path);
    for (let length = 0; length < whole.length; length += 23) {
      await writeFile(path, whole);
      await truncate(path, length);
      expect(await list(folder)).toEqual(chats);
    }
    expect(logs().length).toBeGreaterThan(0);
  });

  it.each([
    ['of a later version', (text: string) => text.replace('"version":1', '"version":2')],
    ['of something else', () => '[1, 2, 3]\n{"name":"chat-one.jsonl"}\n'],
    ['with zeros in it', (text: string) => text.replaceAll('Title', '\0\0\0\0\0')],
    ['with members of another kind', (text: string) => text.replaceAll('"title":', '"title":7,"was":')],
  ])('is the same beside a file %s, which is written anew', async (_, spoiled) => {
    const { folder, local, chats } = await keptChats();
    const path = join(local, summaries);
    const good = await readFile(path, 'utf8');
    await writeFile(path, spoiled(good));
    const next = await openStore(folder);
    expect((await next.store.list(everybody, all)).chats).toEqual(chats);
    await next.store.list(everybody, { ...all, bin: true });
    await next.store.settled();
    const lines = (text: string) => text.split('\n').toSorted();
    expect(lines(await readFile(path, 'utf8'))).toEqual(lines(good));
    expect(next.failures).toEqual([]);
  });

  it('is the same where no file can lie there', async () => {
    const { folder, local, chats } = await keptChats();
    await rm(join(local, summaries));
    await mkdir(join(local, summaries));
    const next = await openStore(folder);
    expect((await next.store.list(everybody, all)).chats).toEqual(chats);
    expect(next.failures).toHaveLength(1);
  });

  it('shows nothing that is not there any more', async () => {
    const { folder, local } = await keptChats();
    await rm(join(local, 'chat-one.jsonl'));
    expect((await list(folder)).map(({ chatId }) => chatId).toSorted()).toEqual(['chat-three', 'chat-two']);
  });
});

describe('summaries', () => {
  const words = async (folder: string) => {
    const names = (await readdir(folder)).filter((name) => name !== 'bin');
    return (await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))).join('\n');
  };

  it('keep no word of a chat that was deleted for good, also where another process still knows it', async () => {
    const { folder, local, store } = await keptChats();
    const other = await openStore(folder);
    await other.store.list(everybody, all);
    await store.remove(everybody, 'chat-one', { forever: true });
    expect(await words(local)).not.toContain('Title one');
    await other.store.append(everybody, 'chat-two', [said('m2', 'm1')]);
    await other.store.settled();
    const text = await words(local);
    expect(text).not.toContain('Title one');
    expect(await readFile(join(local, summaries), 'utf8')).toContain('Title two');
    await store.settled();
    expect(await words(local)).not.toContain('Title one');
  });

  it('take no room of their owner, and nothing lies beside them', async () => {
    const { folder, local } = await keptChats();
    await writeFile(join(local, `${summaries}.0.part`), 'half');
    await utimes(join(local, `${summaries}.0.part`), 1, 1);
    const { store } = await openStore(folder, { chats: 5 });
    await store.create(everybody, { entries: [] });
    await store.settled();
    const others = (await readdir(local)).filter((name) => !name.endsWith('.jsonl')).toSorted();
    expect(others).toEqual([summaries, 'bin']);
    await expect(store.create(everybody, { entries: [] })).rejects.toMatchObject({ code: 'storage_full' });
  });

  it('are as they were where nothing has changed', async () => {
    const { folder, local } = await keptChats();
    const before = await stat(join(local, summaries), { bigint: true });
    const next = await openStore(folder);
    await next.store.list(everybody, all);
    await next.store.settled();
    expect((await stat(join(local, summaries), { bigint: true })).ino).toBe(before.ino);
  });
});

describe('what has lain in the bin for 30 days', () => {
  it('goes behind a list, for which nobody waits', async () => {
    const { folder, local } = await keptChats();
    const { store, pass } = await openStore(folder);
    pass(31 * 24 * 60 * 60 * 1000);
    await store.list(everybody, all);
    await store.settled();
    expect(await readdir(join(local, 'bin'))).toEqual([]);
    expect(await readFile(join(local, summaries), 'utf8')).not.toContain('Title four');
  });
});
