import { appendFile, readdir, readFile, stat, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { within } from '../http/support.ts';
import { all, chief, deletion, edited, everybody, left, openStore, person, pinned, said, titled } from './support.ts';

describe('a chat', () => {
  it('gives back what was said, in the order it came', async () => {
    const { store } = await openStore();
    const entries = [
      said('m1', null, 'Hello'),
      said('m2', 'm1', 'Hi', { role: 'assistant' }),
      titled('t1', 'Greeting'),
    ];
    const { chatId, accepted, known } = await store.create(everybody, { entries });
    expect([accepted, known]).toEqual([['m1', 'm2', 't1'], []]);
    expect(await store.read(everybody, chatId)).toMatchObject({ entries, continued: false, more: false });
  });

  it('takes an entry once, however often it comes', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    const again = await store.append(everybody, chatId, [
      said('m1', null, 'another'),
      said('m2', 'm1'),
      said('m2', 'm1'),
    ]);
    expect(again).toEqual({ chatId, accepted: ['m2'], known: ['m1'] });
    expect(await store.append(everybody, chatId, [said('m2', 'm1')])).toMatchObject({ accepted: [], known: ['m2'] });
    const { entries } = await store.read(everybody, chatId);
    expect(entries.map(({ entry_id }) => entry_id)).toEqual(['m1', 'm2']);
  });

  it('with an id of the client is begun once, and appended to after that', async () => {
    const { store } = await openStore();
    const chatId = '0b6f2a52-9f5e-4a86-9f3e-111111111111';
    await store.create(everybody, { chatId, entries: [said('m1', null)] });
    const second = await store.create(everybody, { chatId, entries: [said('m1', null), said('m2', 'm1')] });
    expect(second).toEqual({ chatId, accepted: ['m2'], known: ['m1'] });
    expect((await store.list(everybody, all)).chats).toHaveLength(1);
  });

  it('shows what its entries come to', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, {
      entries: [
        said('s', null, 'Be short.', { role: 'system' }),
        said('m1', 's', [{ type: 'text', text: 'What is this?' }]),
        said('m2', 'm1', 'A fox.', { role: 'assistant', time: 1_700_000_000_500 }),
        titled('t1', 'First'),
        titled('t2', 'Foxes'),
        pinned('p1'),
        left('h1', 'm2'),
      ],
    });
    const { chats } = await store.list(everybody, all);
    expect(chats).toMatchObject([
      { chatId, title: 'Foxes', preview: 'What is this?', pinned: true, head: 'm2', messages: 3, damagedLines: 0 },
    ]);
  });

  it('forgets what was deleted with all that follows it, until the deletion is taken back', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, {
      entries: [said('m1', null), said('m2', 'm1'), said('m3', 'm2'), said('n2', 'm1'), deletion('d1', 'm2')],
    });
    const count = async () => (await store.list(everybody, all)).chats[0]?.messages;
    expect(await count()).toBe(2);
    await store.append(everybody, chatId, [deletion('d2', 'm2', false)]);
    expect(await count()).toBe(4);
  });

  it.each([
    ['a parent', said('x', 'nothing'), 'entries[0].parent'],
    ['a target', edited('x', 'nothing', 'text'), 'entries[0].target'],
    ['a head', left('x', 'nothing'), 'entries[0].head'],
    ['itself as its parent', said('x', 'x'), 'entries[0].parent'],
    ['a file', said('x', null, 'see', { files: ['0'.repeat(64)] }), 'entries[0].files[0]'],
  ])('refuses %s that is not there', async (_, entry, param) => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [] });
    const refusal = { code: 'invalid_request', details: { param } };
    await expect(store.append(everybody, chatId, [entry])).rejects.toMatchObject(refusal);
    await expect(store.create(everybody, { entries: [entry] })).rejects.toMatchObject(refusal);
    expect((await store.read(everybody, chatId)).entries).toEqual([]);
  });

  it('refuses an entry that is too large, whole', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [] });
    const large = said('m2', null, 'x'.repeat(1024 * 1024));
    await expect(store.append(everybody, chatId, [said('m1', null), large])).rejects.toMatchObject({
      code: 'payload_too_large',
    });
    expect((await store.read(everybody, chatId)).entries).toEqual([]);
  });
});

describe('reading on', () => {
  it('gives what came since, and says so', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    const { revision } = await store.read(everybody, chatId);
    expect(await store.read(everybody, chatId, revision)).toMatchObject({ entries: [], continued: true });
    await store.append(everybody, chatId, [said('m2', 'm1')]);
    const { entries, continued } = await store.read(everybody, chatId, revision);
    expect([entries.map(({ entry_id }) => entry_id), continued]).toEqual([['m2'], true]);
  });

  it.each(['0-7', '0-999999', '3-40', 'x', '', '-1'])('begins anew where %s is no place of it', async (after) => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    const { entries, continued } = await store.read(everybody, chatId, after);
    expect([entries.length, continued]).toEqual([1, false]);
  });

  it('gives a large chat in parts', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [] });
    const ids = Array.from({ length: 20 }, (_, index) => `m${index}`);
    for (const id of ids) await store.append(everybody, chatId, [said(id, null, 'x'.repeat(900_000))]);
    const seen: string[] = [];
    let after: string | undefined;
    let parts = 0;
    for (let more = true; more; parts++) {
      const part = await store.read(everybody, chatId, after);
      seen.push(...part.entries.map(({ entry_id }) => entry_id));
      ({ more, revision: after } = part);
    }
    expect(parts).toBeGreaterThan(1);
    expect(seen).toEqual(ids);
  });
});

describe('a list', () => {
  it('has pinned chats first, then those that were written to last, page by page', async () => {
    const { store } = await openStore();
    const ids: string[] = [];
    for (let index = 0; index < 7; index++) {
      const entries = [said('m', null, 'x', { time: 1000 + index }), ...(index === 2 ? [pinned('p')] : [])];
      ids.push((await store.create(everybody, { entries })).chatId);
    }
    const order = [2, 6, 5, 4, 3, 1, 0].map((index) => ids[index]);
    const seen: string[] = [];
    let cursor: string | null | undefined;
    while (cursor !== null) {
      const page = await store.list(everybody, { ...all, limit: 3, ...(cursor && { cursor }) });
      seen.push(...page.chats.map(({ chatId }) => chatId));
      cursor = page.nextCursor;
    }
    expect(seen).toEqual(order);
  });

  it('has no page behind its last chat', async () => {
    const { store } = await openStore();
    await store.create(everybody, { entries: [said('m', null)] });
    expect((await store.list(everybody, { ...all, limit: 1 })).nextCursor).toBeNull();
  });

  it('refuses a cursor of somebody else', async () => {
    const { store } = await openStore();
    await expect(store.list(everybody, { ...all, cursor: 'eA' })).rejects.toMatchObject({
      details: { param: 'cursor' },
    });
  });

  it.each([
    ['FOX', ['one']],
    ['fox red', ['one']],
    ['Ärger', ['two']],
    ['summary', ['three']],
    ['old', []],
    ['new', ['four']],
    ['gone', []],
    ['cat', ['five']],
  ])('of a search for %j holds the chats with all of its words', async (words, titles) => {
    const { store } = await openStore();
    const chats = {
      one: [said('m', null, 'The red Fox')],
      two: [said('m', null, 'a\u0308RGER'.replace('a\u0308', 'A\u0308'))],
      three: [titled('t2', 'three')],
      four: [said('m', null, 'old'), edited('e', 'm', 'new')],
      five: [said('m', null, [{ type: 'text', text: 'a cat' }]), said('n', null, 'gone'), deletion('d', 'n')],
    };
    for (const [title, entries] of Object.entries(chats))
      await store.create(everybody, { entries: [...entries, titled('t', title === 'three' ? 'A Summary' : title)] });
    const found = await store.list(everybody, { ...all, words: words.split(' ') });
    expect(found.chats.map(({ title }) => (title === 'A Summary' ? 'three' : title))).toEqual(titles);
  });

  it('shows where the words stand', async () => {
    const { store } = await openStore();
    const text = `${'before '.repeat(30)}the needle${' after'.repeat(60)}`;
    await store.create(everybody, { entries: [said('m', null, text)] });
    const { chats } = await store.list(everybody, { ...all, words: ['needle'] });
    expect(chats[0]?.snippet).toMatch(/^….*the needle after.*…$/);
  });
});

describe('the bin', () => {
  it('holds what was deleted, which can be restored', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    await store.remove(everybody, chatId, { forever: false });
    await expect(store.read(everybody, chatId)).rejects.toMatchObject({ code: 'not_found' });
    await expect(store.append(everybody, chatId, [said('m2', 'm1')])).rejects.toMatchObject({ code: 'not_found' });
    expect((await store.list(everybody, all)).chats).toEqual([]);
    expect((await store.list(everybody, { ...all, bin: true })).chats).toMatchObject([
      { chatId, deleted: expect.any(Number) },
    ]);
    await store.restore(everybody, chatId);
    expect((await store.read(everybody, chatId)).entries).toHaveLength(1);
    await expect(store.restore(everybody, chatId)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('never takes the place of a chat that is there again', async () => {
    const { store } = await openStore();
    const chatId = 'same-name-again';
    await store.create(everybody, { chatId, entries: [said('m1', null, 'first')] });
    await store.remove(everybody, chatId, { forever: false });
    await store.create(everybody, { chatId, entries: [said('m1', null, 'second')] });
    await expect(store.restore(everybody, chatId)).rejects.toMatchObject({ code: 'invalid_request' });
    expect((await store.read(everybody, chatId)).entries).toMatchObject([{ message: { content: 'second' } }]);
  });

  it('loses what has lain there for 30 days, and no sooner', async () => {
    const { store, pass } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    await store.remove(everybody, chatId, { forever: false });
    const day = 24 * 60 * 60 * 1000;
    pass(30 * day - 1000);
    await store.list(everybody, all);
    expect((await store.list(everybody, { ...all, bin: true })).chats).toHaveLength(1);
    pass(day);
    await store.list(everybody, all);
    expect((await store.list(everybody, { ...all, bin: true })).chats).toEqual([]);
  });

  it('is emptied for ever, without the chat that is there again under the same id, and without those of others', async () => {
    const { store, folder } = await openStore();
    for (const owner of [person('ann'), person('bob')]) {
      await store.create(owner, { chatId: 'the-same-id', entries: [said('m1', null, 'first')] });
      await store.create(owner, { chatId: 'another-one', entries: [said('m1', null)] });
      await store.remove(owner, 'the-same-id', { forever: false });
      await store.remove(owner, 'another-one', { forever: false });
    }
    await store.create(person('ann'), { chatId: 'the-same-id', entries: [said('m1', null, 'second')] });
    expect([await store.emptyBin(person('ann')), await store.emptyBin(person('ann'))]).toEqual([2, 0]);
    expect(await readdir(join(folder, 'key-ann', 'bin'))).toEqual([]);
    expect((await store.list(person('ann'), all)).chats).toMatchObject([{ preview: 'second' }]);
    expect((await store.list(person('bob'), { ...all, bin: true })).chats).toHaveLength(2);
  });

  it('makes room when it is emptied', async () => {
    const { store } = await openStore(undefined, { chats: 1 });
    const { chatId } = await store.create(everybody, { entries: [] });
    await store.remove(everybody, chatId, { forever: false });
    await expect(store.create(everybody, { entries: [] })).rejects.toMatchObject({ code: 'storage_full' });
    await store.emptyBin(everybody);
    await store.create(everybody, { entries: [] });
  });

  it('is no stop for who deletes for ever', async () => {
    const { store, folder } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    await store.remove(everybody, chatId, { forever: false });
    await store.remove(everybody, chatId, { forever: true });
    expect(await readdir(join(folder, 'local', 'bin'))).toEqual([]);
    await expect(store.remove(everybody, chatId, { forever: true })).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('owners', () => {
  it('have chats of their own, and nobody else’s', async () => {
    const { store } = await openStore();
    const ann = person('ann');
    const bob = person('bob');
    const { chatId } = await store.create(ann, { entries: [said('m1', null)] });
    const none = { code: 'not_found' };
    await expect(store.read(bob, chatId)).rejects.toMatchObject(none);
    await expect(store.append(bob, chatId, [said('m2', 'm1')])).rejects.toMatchObject(none);
    await expect(store.remove(bob, chatId, { forever: true })).rejects.toMatchObject(none);
    await store.remove(ann, chatId, { forever: false });
    await expect(store.restore(bob, chatId)).rejects.toMatchObject(none);
    await store.restore(ann, chatId);
    expect((await store.list(bob, all)).chats).toEqual([]);
    expect((await store.list(chief, all)).chats).toEqual([]);
    expect((await store.read(chief, chatId)).entries).toHaveLength(1);
  });

  it('may use the same id for different chats', async () => {
    const { store } = await openStore();
    const chatId = 'the-same-id';
    await store.create(person('ann'), { chatId, entries: [said('m1', null, 'of ann')] });
    await store.create(person('bob'), { chatId, entries: [said('m1', null, 'of bob')] });
    expect((await store.read(person('bob'), chatId)).entries).toMatchObject([{ message: { content: 'of bob' } }]);
  });

  it('find what was kept before there were keys where it is theirs', async () => {
    const { store } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    const only = { owner: 'ann', sees: (owner: string) => owner === 'ann' || owner === '' };
    expect((await store.list(only, all)).chats).toMatchObject([{ chatId }]);
    await store.append(only, chatId, [said('m2', 'm1')]);
    expect((await store.list(person('ann'), all)).chats).toEqual([]);
  });

  it.each(['../../etc', 'ab', '.', '..', 'UPPERCASE1', 'with/slash', 'con.jsonl.x', 'x'.repeat(65), 'nul\0nul\0nul'])(
    'cannot name %j as a chat',
    async (chatId) => {
      const { store } = await openStore();
      const none = { code: 'not_found' };
      await expect(store.read(everybody, chatId)).rejects.toMatchObject(none);
      await expect(store.append(everybody, chatId, [said('m', null)])).rejects.toMatchObject(none);
      await expect(store.remove(everybody, chatId, { forever: true })).rejects.toMatchObject(none);
      await expect(store.restore(everybody, chatId)).rejects.toMatchObject(none);
      await expect(store.create(everybody, { chatId, entries: [] })).rejects.toMatchObject(none);
    },
  );
});

describe('limits', () => {
  const full = { code: 'storage_full' };

  it('hold the number of chats, those in the bin included', async () => {
    const { store } = await openStore(undefined, { chats: 2 });
    const { chatId } = await store.create(everybody, { entries: [] });
    await store.create(everybody, { entries: [] });
    await store.remove(everybody, chatId, { forever: false });
    await expect(store.create(everybody, { entries: [] })).rejects.toMatchObject(full);
    await store.remove(everybody, chatId, { forever: true });
    await store.create(everybody, { entries: [] });
  });

  it('hold however many come at once', async () => {
    const { store } = await openStore(undefined, { chats: 3 });
    const created = Array.from({ length: 10 }, () => store.create(everybody, { entries: [] }));
    const settled = await Promise.allSettled(created);
    expect(settled.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
  });

  it('hold the bytes, and lose nothing that was there', async () => {
    const { store } = await openStore(undefined, { ownerBytes: 20_000 });
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    await expect(store.append(everybody, chatId, [said('m2', 'm1', 'x'.repeat(20_000))])).rejects.toMatchObject(full);
    await store.append(everybody, chatId, [said('m3', 'm1', 'x'.repeat(1000))]);
    const { entries } = await store.read(everybody, chatId);
    expect(entries.map(({ entry_id }) => entry_id)).toEqual(['m1', 'm3']);
  });
});

describe('the folder', () => {
  it('is for its owner only', async () => {
    const { store, folder } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    await store.remove(everybody, chatId, { forever: false });
    await store.restore(everybody, chatId);
    const modes = [join(folder, 'local'), join(folder, 'local', 'bin'), join(folder, 'local', `${chatId}.jsonl`)];
    const found = await Promise.all(modes.map(async (path) => ((await stat(path)).mode & 0o777).toString(8)));
    expect(found).toEqual(['700', '700', '600']);
  });

  it('holds a chat as lines that can be read', async () => {
    const { store, folder } = await openStore();
    const entry = said('m1', null);
    const { chatId } = await store.create(everybody, { entries: [entry] });
    const lines = (await readFile(join(folder, 'local', `${chatId}.jsonl`), 'utf8')).trim().split('\n');
    expect(lines.map((line) => JSON.parse(line))).toEqual([expect.objectContaining({ chat_id: chatId }), entry]);
  });

  it('with a torn last line loses that line alone, and says so', async () => {
    const first = await openStore();
    const { chatId } = await first.store.create(everybody, { entries: [said('m1', null)] });
    const path = join(first.folder, 'local', `${chatId}.jsonl`);
    await appendFile(path, '\n{"entry_id":"m2","time":1,"type":"mess');
    await utimes(path, 1, 1);
    const { store } = await openStore(first.folder);
    expect((await store.list(everybody, all)).chats).toMatchObject([{ messages: 1, damagedLines: 1 }]);
    await store.append(everybody, chatId, [said('m3', 'm1')]);
    const { entries, summary } = await store.read(everybody, chatId);
    expect(entries.map(({ entry_id }) => entry_id)).toEqual(['m1', 'm3']);
    expect(summary.damagedLines).toBe(1);
  });

  it('may hold what is no chat', async () => {
    const { store, folder } = await openStore();
    const { chatId } = await store.create(everybody, { entries: [said('m1', null)] });
    for (const name of ['notes.txt', 'x.jsonl', `${chatId}.jsonl.lock`])
      await writeFile(join(folder, 'local', name), 'x');
    await writeFile(join(folder, 'local', 'not-a-chat.jsonl'), 'x\n[]\n{"type":"message"}\n');
    expect((await store.list(everybody, all)).chats).toMatchObject([
      { chatId: 'not-a-chat', damagedLines: 3, messages: 0 },
      { chatId },
    ]);
  });

  it('may be shared: each store sees what the other one wrote', async () => {
    const one = await openStore();
    const other = await openStore(one.folder);
    const { chatId } = await one.store.create(everybody, { entries: [said('m1', null)] });
    await other.store.append(everybody, chatId, [said('m2', 'm1')]);
    await one.store.append(everybody, chatId, [said('m3', 'm2'), said('m2', 'm1')]);
    for (const { store } of [one, other]) {
      const { entries } = await store.read(everybody, chatId);
      expect(entries.map(({ entry_id }) => entry_id)).toEqual(['m1', 'm2', 'm3']);
    }
  });
});

describe('changes', () => {
  it('are told to whoever may see the chat, those of another store too', async () => {
    const one = await openStore();
    const other = await openStore(one.folder);
    const stop = new AbortController();
    const bob = one.store.changes(person('bob'), stop.signal)[Symbol.asyncIterator]();
    const changes = one.store.changes(person('ann'), stop.signal)[Symbol.asyncIterator]();
    const next = async () => (await within('a change', changes.next())).value;
    const { chatId } = await one.store.create(person('ann'), { entries: [said('m1', null)] });
    expect(await next()).toMatchObject({ chatId, change: 'changed' });
    await other.store.append(person('ann'), chatId, [said('m2', 'm1')]);
    expect(await next()).toMatchObject({ chatId, change: 'changed' });
    await other.store.remove(person('ann'), chatId, { forever: false });
    expect(await next()).toEqual({ chatId, change: 'removed', revision: null });
    stop.abort();
    expect(await within('the end', bob.next())).toEqual({ done: true, value: undefined });
    expect(await within('the end', changes.next())).toEqual({ done: true, value: undefined });
    expect([...one.failures, ...other.failures]).toEqual([]);
  });
});
