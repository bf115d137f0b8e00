import { describe, expect, it } from 'vitest';
import { AfterPause } from '../../src/engine/after-pause.ts';

/** 0.1 ms a token, 1 ms a sequence more. */
const costs = { perToken: 0.1, perSequence: 1 };
const decodeBatch = { tokens: 4, sequences: 4 };

/** Batches of 4 ms, one right behind the other. Returns the threads of each. */
function work(afterPause: AfterPause, from: number, to: number): number[] {
  const threads: number[] = [];
  for (let now = from; now < to; now += 4) {
    threads.push(afterPause.threadsFor(2, decodeBatch, now));
    afterPause.batchEnded(now + 3.9);
  }
  return threads;
}

describe('threads after a pause', () => {
  it('is one for a tenth of a second, then as many as planned', () => {
    const threads = work(new AfterPause(costs), 1000, 1400);
    expect(threads.slice(0, 25)).toEqual(Array(25).fill(1));
    expect(threads.slice(25)).toEqual(Array(75).fill(2));
  });

  it('is one again behind the next pause, however short the work before it was', () => {
    const afterPause = new AfterPause(costs);
    work(afterPause, 0, 400);
    expect(afterPause.threadsFor(2, decodeBatch, 410)).toBe(1);
    afterPause.batchEnded(414);
    expect(afterPause.threadsFor(2, decodeBatch, 450)).toBe(1);
    afterPause.batchEnded(454);
    expect(work(afterPause, 455, 550)).toEqual(Array(24).fill(1));
    expect(afterPause.threadsFor(2, decodeBatch, 551)).toBe(2);
  });

  it.each([
    ['a long prompt has all threads', { tokens: 250, sequences: 1 }, 2],
    ['a short one has not', { tokens: 240, sequences: 1 }, 1],
    ['nor have many sequences', { tokens: 20, sequences: 20 }, 1],
    ['unless they take long', { tokens: 30, sequences: 23 }, 2],
  ])('%s', (_, batch, threads) => {
    expect(new AfterPause(costs).threadsFor(2, batch, 0)).toBe(threads);
  });

  it('is as planned where several threads were not measured to be slower', () => {
    expect(work(new AfterPause(undefined), 0, 200)).toEqual(Array(50).fill(2));
  });
});
