import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { folderShelf } from '../../src/response-store/folder-shelf.ts';
import { memoryShelf } from '../../src/response-store/memory-shelf.ts';
import type { Shelf } from '../../src/response-store/shelf.ts';
import { openUsageLedger } from '../../src/response-store/usage-ledger.ts';
import { FakeTime } from '../http/support.ts';

const day = 86_400_000;
const spent = { inputTokens: 10, cachedTokens: 4, outputTokens: 2 };

async function open(shelf: Shelf, time = new FakeTime()) {
  const failures: unknown[] = [];
  const ledger = await openUsageLedger(shelf, {
    now: time.clock,
    timers: time,
    failed: (error) => failures.push(error),
  });
  return { ledger, time, failures };
}

describe('the ledger of what keys have used', () => {
  it('adds up, each owner for itself', async () => {
    const { ledger, time } = await open(memoryShelf());
    ledger.began('ann');
    ledger.spent('ann', spent);
    time.pass(1000);
    ledger.began('bob');
    ledger.spent('ann', spent);
    expect(ledger.list()).toEqual([
      {
        owner: 'ann',
        since: 0,
        lastUsed: 1000,
        requests: 1,
        inputTokens: 20,
        cachedTokens: 8,
        outputTokens: 4,
        day: 0,
        todayTokens: 24,
      },
      {
        owner: 'bob',
        since: 1000,
        lastUsed: 1000,
        requests: 1,
        inputTokens: 0,
        cachedTokens: 0,
        outputTokens: 0,
        day: 0,
        todayTokens: 0,
      },
    ]);
  });

  it('counts each day of UTC anew', async () => {
    const { ledger, time } = await open(memoryShelf());
    time.pass(day - 5000);
    ledger.spent('ann', spent);
    expect(ledger.today('ann')).toEqual({ tokens: 12, msLeft: 5000 });
    time.pass(5000);
    expect([ledger.today('ann'), ledger.list()[0]?.todayTokens]).toEqual([{ tokens: 0, msLeft: day }, 0]);
    ledger.spent('ann', spent);
    expect([ledger.today('ann').tokens, ledger.list()[0]?.outputTokens]).toEqual([12, 4]);
  });

  it('writes after a few seconds, once for many changes, and what is left at its end', async () => {
    const shelf = memoryShelf();
    let writes = 0;
    const counting: Shelf = {
      ...shelf,
      write: (...entry) => {
        writes++;
        return shelf.write(...entry);
      },
    };
    const { ledger, time } = await open(counting);
    for (let count = 0; count < 5; count++) ledger.spent('ann', spent);
    expect(writes).toBe(0);
    time.pass(5000);
    await ledger.close();
    expect([writes, time.waiting]).toEqual([1, 0]);
    ledger.began('ann');
    await ledger.close();
    expect([writes, time.waiting]).toEqual([2, 0]);
  });

  it('says when it cannot write, and goes on', async () => {
    const { ledger, failures } = await open({ ...memoryShelf(), write: () => Promise.reject(new Error('full')) });
    ledger.began('ann');
    await ledger.close();
    expect([failures, ledger.list().length]).toEqual([[new Error('full')], 1]);
  });
});

describe('a ledger in a folder', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usage-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is there after a restart', async () => {
    const first = await open(await folderShelf(folder));
    first.time.pass(day / 2);
    first.ledger.began('ann');
    first.ledger.spent('ann', spent);
    await first.ledger.close();
    const { ledger } = await open(await folderShelf(folder), first.time);
    expect(ledger.list()).toEqual(first.ledger.list());
    expect(ledger.today('ann').tokens).toBe(12);
  });

  it.each([
    ['no JSON', 'x'],
    ['another shape', '{"accounts": {}}'],
    ['no accounts', '[]'],
    ['accounts of nobody', '{"accounts": [1, {}, {"owner": 7}]}'],
  ])('begins anew with %s in it', async (_, text) => {
    await writeFile(join(folder, 'usage.json'), text);
    expect((await open(await folderShelf(folder))).ledger.list()).toEqual([]);
  });

  it('takes members that are missing or wrong for nothing', async () => {
    await writeFile(
      join(folder, 'usage.json'),
      '{"accounts": [{"owner": "ann", "requests": "many", "inputTokens": 7}]}',
    );
    expect((await open(await folderShelf(folder))).ledger.list()).toMatchObject([
      { owner: 'ann', requests: 0, inputTokens: 7 },
    ]);
  });
});
