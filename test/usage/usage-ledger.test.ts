import { appendFile, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createUsageLedger } from '../../src/usage/usage-ledger.ts';
import { openUsageLog, type UsageLog } from '../../src/usage/usage-log.ts';
import { FakeTime } from '../http/support.ts';

const day = 86_400_000;
const spent = { inputTokens: 10, cachedTokens: 4, outputTokens: 2 };
let ids = 0;
const newId = () => `id${++ids}`;

function ledgerOn(log: UsageLog | undefined, time = new FakeTime()) {
  const failures: unknown[] = [];
  const failed = (error: unknown) => failures.push(error);
  return { ledger: createUsageLedger(log, { now: time.clock, timers: time, newId, failed }), time, failures };
}

describe('the ledger of what keys have used', () => {
  it('adds up, each owner for itself', async () => {
    const { ledger, time } = ledgerOn(undefined);
    ledger.began('ann');
    ledger.spent('ann', spent);
    time.pass(1000);
    ledger.began('bob');
    ledger.spent('ann', spent);
    expect(await ledger.list()).toEqual([
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
    const { ledger, time } = ledgerOn(undefined);
    time.pass(day - 5000);
    ledger.spent('ann', spent);
    expect(ledger.today('ann')).toEqual({ tokens: 12, msLeft: 5000 });
    time.pass(5000);
    expect([ledger.today('ann'), (await ledger.list())[0]?.todayTokens]).toEqual([{ tokens: 0, msLeft: day }, 0]);
    ledger.spent('ann', spent);
    expect([ledger.today('ann').tokens, (await ledger.list())[0]?.outputTokens]).toEqual([12, 4]);
  });
});

describe('ledgers in one folder', () => {
  let folder = '';
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'usage-'));
  });
  afterEach(() => rm(folder, { recursive: true }));

  const path = () => join(folder, 'usage.log');
  const open = async (time = new FakeTime(), mostLines?: number) => {
    const log = await openUsageLog(folder, { now: time.clock, newId, mostLines });
    return { log, ...ledgerOn(log, time) };
  };
  const lines = async () => (await readFile(path(), 'utf8')).split('\n').filter((line) => line !== '').length;

  it('writes after a few seconds, once for many changes, and what is left at its end', async () => {
    const { ledger, time, failures } = await open();
    for (let count = 0; count < 5; count++) ledger.spent('ann', spent);
    expect(await readdir(folder)).toEqual([]);
    time.pass(5000);
    expect(await ledger.list()).toMatchObject([{ owner: 'ann', inputTokens: 50 }]);
    await ledger.close();
    expect([await lines(), time.waiting]).toEqual([1, 0]);
    ledger.began('ann');
    await ledger.close();
    expect([await lines(), time.waiting, failures]).toEqual([2, 0, []]);
    expect((await stat(path())).mode & 0o077).toBe(0);
  });

  it('are there after a restart', async () => {
    const first = await open();
    first.time.pass(day / 2);
    first.ledger.began('ann');
    first.ledger.spent('ann', spent);
    await first.ledger.close();
    const { ledger } = await open(first.time);
    expect(await ledger.list()).toEqual(await first.ledger.list());
    expect(ledger.today('ann').tokens).toBe(12);
  });

  it('count together, each keeping what the others counted', async () => {
    const time = new FakeTime();
    const [one, other] = [await open(time), await open(time)];
    one.ledger.spent('ann', spent);
    other.ledger.spent('ann', spent);
    other.ledger.spent('bob', spent);
    time.pass(5000);
    await Promise.all([one.ledger.close(), other.ledger.close()]);
    for (const { ledger } of [one, other, await open(time)]) {
      expect(await ledger.list()).toMatchObject([
        { owner: 'ann', inputTokens: 20, todayTokens: 24 },
        { owner: 'bob', inputTokens: 10 },
      ]);
      expect(ledger.today('ann').tokens).toBe(24);
    }
  });

  it('lose nothing and count nothing twice while they write the file anew under each other', async () => {
    const logs = await Promise.all(Array.from({ length: 4 }, () => open(new FakeTime(), 7)));
    const rounds = 60;
    await Promise.all(
      logs.map(async ({ ledger }, at) => {
        for (let round = 0; round < rounds; round++) {
          ledger.began('everybody');
          ledger.spent(`owner${at}`, spent);
          await ledger.close();
        }
      }),
    );
    expect(logs.flatMap(({ failures }) => failures)).toEqual([]);
    const expected = [
      { owner: 'everybody', requests: 4 * rounds },
      ...logs.map((_, at) => ({ owner: `owner${at}`, inputTokens: 10 * rounds, cachedTokens: 4 * rounds })),
    ];
    for (const { ledger } of [...logs, await open()]) expect(await ledger.list()).toMatchObject(expected);
    expect(await lines()).toBeLessThan(4 * rounds);
    expect(await readdir(folder)).toEqual(['usage.log']);
  });

  it('begin a line of their own behind one that was torn', async () => {
    const first = await open();
    first.ledger.began('ann');
    await first.ledger.close();
    await appendFile(path(), '\n{"writer":"dead","number":1,"accounts":[{"owner":"ann","requests":1');
    const second = await open();
    second.ledger.began('ann');
    await second.ledger.close();
    expect(await (await open()).ledger.list()).toMatchObject([{ owner: 'ann', requests: 2 }]);
  });

  it('say when they cannot write, go on counting, and write it once they can', async () => {
    const { ledger, failures } = await open();
    ledger.began('ann');
    await writeFile(join(folder, 'blocks'), '');
    await rm(folder, { recursive: true });
    await ledger.close();
    expect([failures.length, (await ledger.list()).length]).toEqual([1, 1]);
    const again = await open();
    ledger.began('ann');
    await ledger.close();
    expect(await again.ledger.list()).toMatchObject([{ owner: 'ann', requests: 2 }]);
  });

  it('begin anew where the file is gone or cut', async () => {
    const { ledger } = await open();
    ledger.began('ann');
    await ledger.close();
    await truncate(path(), 0);
    expect(await ledger.list()).toEqual([]);
    ledger.began('ann');
    await ledger.close();
    expect(await ledger.list()).toMatchObject([{ owner: 'ann', requests: 1 }]);
  });

  it('take up what an earlier version left, once', async () => {
    const text = '{"version":1,"accounts":[{"owner":"ann","requests":"many","inputTokens":7},1,{},{"owner":7}]}';
    await writeFile(join(folder, 'usage.json'), text);
    const both = await Promise.all([open(), open()]);
    await writeFile(join(folder, 'usage.json'), text);
    for (const { ledger } of [...both, await open()])
      expect(await ledger.list()).toMatchObject([{ owner: 'ann', requests: 0, inputTokens: 7 }]);
    expect(await readdir(folder)).toEqual(['usage.log']);
  });

  it.each([
    ['no JSON', 'x'],
    ['another shape', '{"accounts": {}}'],
    ['no accounts', '[]'],
    ['numbers of nobody', '{"writer":"a","number":"1","accounts":[{"owner":"ann"}]}'],
  ])('begin anew with %s in the file', async (_, text) => {
    await writeFile(path(), `${text}\n`);
    expect(await (await open()).ledger.list()).toEqual([]);
  });
});
