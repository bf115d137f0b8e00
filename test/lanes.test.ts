import { describe, expect, it } from 'vitest';
import { Lanes } from '../src/engine/lanes.ts';

const open = new AbortController().signal;

/** Lanes that are numbers, and work that ends when the test says so. */
function harness(most: number, fails: (lane: number) => boolean = () => false) {
  let made = 0;
  const lanes = new Lanes(most, async () => {
    const lane = ++made;
    if (fails(lane)) throw new Error(`no lane ${lane}`);
    return lane;
  });
  const log: string[] = [];
  const endings = new Map<string, () => void>();
  const start = (name: string, signal = open) =>
    lanes.use(signal, async (lane) => {
      log.push(`${name} on ${lane}`);
      await new Promise<void>((resolve) => endings.set(name, resolve));
      return name;
    });
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const end = async (name: string) => {
    endings.get(name)?.();
    await turn();
  };
  return { lanes, log, start, end, turn };
}

describe('lanes', () => {
  it('are made for work, up to the most, and the work takes turns in its order', async () => {
    const { log, start, end, turn } = harness(2);
    const results = Promise.all(['a', 'b', 'c', 'd'].map((name) => start(name)));
    await turn();
    expect(log).toEqual(['a on 1', 'b on 2']);
    await end('b');
    await end('a');
    expect(log).toEqual(['a on 1', 'b on 2', 'c on 2', 'd on 1']);
    await end('c');
    await end('d');
    expect(await results).toEqual(['a', 'b', 'c', 'd']);
  });

  it('never start work whose signal was aborted, and forget it', async () => {
    const { log, start, end, turn } = harness(1);
    const first = start('a');
    const caller = new AbortController();
    const second = start('b', caller.signal);
    const third = start('c');
    await turn();
    caller.abort(new Error('left'));
    await expect(second).rejects.toThrow('left');
    await expect(start('d', caller.signal)).rejects.toThrow('left');
    await end('a');
    await end('c');
    await Promise.all([first, third]);
    expect(log).toEqual(['a on 1', 'c on 1']);
  });

  it('go on with those that are there when one more cannot be made', async () => {
    const { log, start, end, turn } = harness(3, (lane) => lane === 2);
    const all = Promise.all([start('a'), start('b'), start('c')]);
    await turn();
    await end('a');
    await end('c');
    await end('b');
    await end('c');
    await all;
    expect(new Set(log.map((line) => line.split(' ')[0]))).toEqual(new Set(['a', 'b', 'c']));
  });

  it('fail all who wait when not even one can be made', async () => {
    const { start } = harness(1, () => true);
    const [first, second] = await Promise.allSettled([start('a'), start('b')]);
    expect([first, second]).toMatchObject([{ reason: new Error('no lane 1') }, { reason: new Error('no lane 1') }]);
  });

  it('give a list in its order, and let another caller in between', async () => {
    const { lanes } = harness(1);
    const order: string[] = [];
    const work = async (_lane: number, name: string) => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      order.push(name);
      return name.toUpperCase();
    };
    const list = lanes.useForAll(['a', 'b', 'c', 'd'], open, work);
    const other = lanes.useForAll(['x'], open, work);
    expect(await list).toEqual(['A', 'B', 'C', 'D']);
    expect(await other).toEqual(['X']);
    expect(order.indexOf('x')).toBeLessThan(order.indexOf('c'));
  });

  it('begin nothing more of a list after its first failure', async () => {
    const { lanes } = harness(1);
    const begun: string[] = [];
    const list = lanes.useForAll(['a', 'b', 'c'], open, async (_lane, name) => {
      begun.push(name);
      if (name === 'b') throw new Error('b failed');
    });
    await expect(list).rejects.toThrow('b failed');
    expect(begun).toEqual(['a', 'b']);
    expect(await lanes.useForAll([], open, async () => 1)).toEqual([]);
  });

  it('close after the work under way, refusing what waits and what comes', async () => {
    const { lanes, start, end, turn } = harness(1);
    const running = start('a');
    const waiting = start('b');
    await turn();
    const closed = lanes.close(new Error('closed'));
    await expect(waiting).rejects.toThrow('closed');
    await expect(start('c')).rejects.toThrow('closed');
    await end('a');
    expect(await running).toBe('a');
    expect(await closed).toEqual([1]);
  });
});
