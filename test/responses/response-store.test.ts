import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { Caller } from '../../src/contract/caller.ts';
import type { StoredResponse } from '../../src/contract/services.ts';
import { folderShelf } from '../../src/responses/folder-shelf.ts';
import { openResponseStore, type StoreLimits } from '../../src/responses/response-store.ts';
import type { Shelf } from '../../src/responses/shelf.ts';
import { memoryShelf } from '../../src/responses/shelf.ts';
import { chief, person } from '../support/callers.ts';

const folders: string[] = [];

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'response-store-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

const roomy: StoreLimits = { maxCount: 100, maxBytes: 1_000_000, maxAgeMs: 1000 };

function entry(id: string, text = 'hi'): StoredResponse {
  return { id, owner: '', response: { id, text }, input: [{ id: 'msg_1', text: 'é😀' }] };
}

function clock(start = 0) {
  let time = start;
  const pass = (milliseconds: number) => {
    time += milliseconds;
  };
  return { now: () => time, pass };
}

describe.each([
  ['memory', async () => memoryShelf()],
  ['a folder', async () => folderShelf(await newFolder())],
])('a response store in %s', (_, newShelf: () => Promise<Shelf>) => {
  it('gives back what was saved, before and after it is safe', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    const saved = store.save({ ...entry('resp_1'), events: [{ type: 'a' }] });
    expect(await store.find('resp_1', person())).toEqual({ ...entry('resp_1'), events: [{ type: 'a' }] });
    await saved;
    expect(await store.find('resp_1', person())).toEqual({ ...entry('resp_1'), events: [{ type: 'a' }] });
  });

  it('replaces an entry of the same id', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    await Promise.all([store.save(entry('resp_1', 'old')), store.save(entry('resp_1', 'new'))]);
    expect(await store.find('resp_1', person())).toEqual(entry('resp_1', 'new'));
  });

  it('gives nobody what belongs to another', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    const own = { ...entry('resp_1'), owner: 'ann' };
    await Promise.all([store.save(own), store.save(entry('resp_2'))]);
    const found = (who: Pick<Caller, 'sees'>) =>
      Promise.all(['resp_1', 'resp_2'].map(async (id) => (await store.find(id, who))?.owner));
    expect(await found(person('ann'))).toEqual(['ann', undefined]);
    expect(await found(person('bob'))).toEqual([undefined, undefined]);
    expect(await found(chief)).toEqual(['ann', '']);
    expect([await store.remove('resp_1', person('bob')), await store.remove('resp_1', person('ann'))]).toEqual([
      false,
      true,
    ]);
  });

  it('removes once', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    await store.save(entry('resp_1'));
    expect([await store.remove('resp_1', person()), await store.remove('resp_1', person())]).toEqual([true, false]);
    expect(await store.find('resp_1', person())).toBeUndefined();
  });

  it('removes what is still being written, and takes the same id again', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    const changes = [
      store.save(entry('resp_1', 'old')),
      store.remove('resp_1', person()),
      store.save(entry('resp_1', 'new')),
    ];
    await Promise.all(changes);
    expect(await store.find('resp_1', person())).toEqual(entry('resp_1', 'new'));
  });

  it('lets the oldest go when there are too many', async () => {
    const store = await openResponseStore(await newShelf(), { limits: { ...roomy, maxCount: 2 }, now: clock().now });
    for (const id of ['resp_1', 'resp_2', 'resp_1', 'resp_3']) await store.save(entry(id));
    const found = await Promise.all(['resp_1', 'resp_2', 'resp_3'].map((id) => store.find(id, person())));
    expect(found.map((stored) => stored?.id)).toEqual(['resp_1', undefined, 'resp_3']);
  });

  it('lets the oldest go when they are too large, but never the newest', async () => {
    const store = await openResponseStore(await newShelf(), { limits: { ...roomy, maxBytes: 300 }, now: clock().now });
    await store.save(entry('resp_1'));
    await store.save(entry('resp_2'));
    await store.save(entry('resp_3', 'x'.repeat(400)));
    const found = await Promise.all(['resp_1', 'resp_2', 'resp_3'].map((id) => store.find(id, person())));
    expect(found.map((stored) => stored?.id)).toEqual([undefined, undefined, 'resp_3']);
  });

  it.each([
    ['many', 'hi', { ...roomy, maxCount: 3 }],
    ['large', 'x'.repeat(1000), { ...roomy, maxBytes: 3500 }],
  ])('lets go of what an owner has who keeps %s entries, not of another’s', async (_what, text, limits) => {
    const store = await openResponseStore(await newShelf(), { limits, now: clock().now });
    await store.save({ ...entry('resp_1'), owner: 'bob' });
    for (const id of ['resp_2', 'resp_3', 'resp_4', 'resp_5']) await store.save({ ...entry(id, text), owner: 'ann' });
    const found = async (name: string, ids: string[]) =>
      (await Promise.all(ids.map((id) => store.find(id, person(name))))).map((stored) => stored?.id);
    expect(await found('bob', ['resp_1'])).toEqual(['resp_1']);
    expect((await found('ann', ['resp_2', 'resp_3', 'resp_4', 'resp_5'])).slice(-2)).toEqual(['resp_4', 'resp_5']);
    expect((await found('ann', ['resp_2'])).concat(await found('bob', ['resp_5']))).toEqual([undefined, undefined]);
  });

  it('forgets what is too old', async () => {
    const { now, pass } = clock();
    const store = await openResponseStore(await newShelf(), { limits: roomy, now });
    await store.save(entry('resp_1'));
    pass(1000);
    expect((await store.find('resp_1', person()))?.id).toBe('resp_1');
    pass(1);
    expect(await store.find('resp_1', person())).toBeUndefined();
    expect(await store.remove('resp_1', person())).toBe(false);
  });

  it.each(['resp_unknown', '../resp_1', 'resp_../../etc/passwd', 'resp_', ''])('knows no response %j', async (id) => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    await store.save(entry('resp_1'));
    expect(await store.find(id, person())).toBeUndefined();
    expect(await store.remove(id, person())).toBe(false);
  });

  it('refuses to save under a name that could leave its place', async () => {
    const store = await openResponseStore(await newShelf(), { limits: roomy, now: clock().now });
    await expect(store.save(entry('resp_../x'))).rejects.toThrow(RangeError);
  });
});

describe('a response store in a folder', () => {
  const open = async (folder: string, limits = roomy) =>
    openResponseStore(await folderShelf(folder), { limits, now: () => Date.now() });

  it('has everything after a restart, within the limits of that start', async () => {
    const folder = await newFolder();
    const first = await open(folder);
    for (const id of ['resp_1', 'resp_2', 'resp_3']) await first.save(entry(id));
    expect(await (await open(folder)).find('resp_2', person())).toEqual(entry('resp_2'));
    await open(folder, { ...roomy, maxCount: 1 });
    expect(await readdir(folder)).toHaveLength(1);
  });

  it('knows after a restart whose everything is', async () => {
    const folder = await newFolder();
    const first = await open(folder);
    await first.save({ ...entry('resp_1'), owner: 'bob' });
    for (const id of ['resp_2', 'resp_3', 'resp_4']) await first.save({ ...entry(id), owner: 'ann' });
    await open(folder, { ...roomy, maxCount: 2 });
    expect((await readdir(folder)).sort()).toEqual(['resp_1.json', 'resp_4.json']);
  });

  it('gives what was kept before there were owners to nobody in particular', async () => {
    const folder = await newFolder();
    const { owner: _, ...before } = entry('resp_1');
    await writeFile(join(folder, 'resp_1.json'), JSON.stringify(before));
    const store = await open(folder);
    expect(await store.find('resp_1', person('ann'))).toBeUndefined();
    expect(await store.find('resp_1', person())).toEqual(entry('resp_1'));
  });

  it('has everything in its folder once it is closed', async () => {
    const folder = await newFolder();
    const store = await open(folder);
    const saved = ['resp_1', 'resp_2', 'resp_3'].map((id) => store.save(entry(id)));
    await store.close();
    expect((await readdir(folder)).sort()).toEqual(['resp_1.json', 'resp_2.json', 'resp_3.json']);
    await Promise.all(saved);
  });

  it('makes its folder, and keeps its files to their owner', async () => {
    const folder = join(await newFolder(), 'deep', 'down');
    await (await open(folder)).save(entry('resp_1'));
    const file = join(folder, 'resp_1.json');
    expect(JSON.parse(await readFile(file, 'utf8'))).toEqual(entry('resp_1'));
    expect((await stat(file)).mode & 0o077).toBe(0);
  });

  it('clears what a crash left half written, and takes a broken file for none', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'resp_1.part'), '{"id":');
    await writeFile(join(folder, 'resp_2.json'), '{"id":');
    await writeFile(join(folder, 'resp_3.json'), '{"id":"resp_3"}');
    const store = await open(folder);
    expect(await store.find('resp_2', person())).toBeUndefined();
    expect(await store.find('resp_3', person())).toBeUndefined();
    expect((await readdir(folder)).sort()).toEqual(['resp_2.json', 'resp_3.json']);
  });

  it('says when it cannot write, and still gives the answer to this process', async () => {
    const shelf: Shelf = {
      ...memoryShelf(),
      write: async () => {
        throw new Error('no space left');
      },
    };
    const store = await openResponseStore(shelf, { limits: roomy, now: clock().now });
    await expect(store.save(entry('resp_1'))).rejects.toThrow('no space left');
    expect(await store.find('resp_1', person())).toEqual(entry('resp_1'));
  });
});
