import { describe, expect, it } from 'vitest';
import { AfterPause, type BatchSize } from '../../src/engine/after-pause.ts';

/** 0.1 ms a token, 1 ms a sequence more. */
const costs = { perToken: 0.1, perSequence: 1 };
/** 4.4 ms on one thread. */
const decodeBatch: BatchSize = { tokens: 4, sequences: 4 };

class Worker {
  readonly afterPause: AfterPause;
  now: number;

  constructor(afterPause: AfterPause, now = 0) {
    this.afterPause = afterPause;
    this.now = now;
  }

  /** One batch; returns its threads. */
  batch(milliseconds = 4): number {
    const threads = this.afterPause.threadsFor(2, decodeBatch, this.now);
    this.now += milliseconds;
    this.afterPause.batchEnded(threads, decodeBatch, milliseconds, this.now);
    return threads;
  }

  /** One right behind the other. */
  batches(count: number, milliseconds = 4): number[] {
    return Array.from({ length: count }, () => this.batch(milliseconds));
  }
}

const alone = (count: number) => Array(count).fill(1);
const together = (count: number) => Array(count).fill(2);

describe('threads after a pause', () => {
  it('is one for a moment, then as many as planned', () => {
    const worker = new Worker(new AfterPause(costs), 1000);
    expect(worker.batches(20)).toEqual(alone(20));
    expect(worker.batches(100)).toEqual(together(100));
  });

  it('is one again behind the next pause, however short the work before it was', () => {
    const worker = new Worker(new AfterPause(costs));
    worker.batches(40);
    for (let count = 0; count < 5; count++) {
      worker.now += 10;
      expect(worker.batches(10), `pause ${count}`).toEqual(alone(10));
    }
    expect(worker.batches(20)).toEqual([...alone(10), ...together(10)]);
  });

  it('is one again when several prove to be together on a core: two much too slow batches near each other', () => {
    const worker = new Worker(new AfterPause(costs));
    worker.batches(20);
    expect([worker.batch(20), ...worker.batches(3), worker.batch(20)]).toEqual(together(5));
    expect(worker.batches(20)).toEqual(alone(20));
    expect(worker.batch()).toBe(2);
  });

  it('learns that one thread takes longer, too, behind many tokens', () => {
    const worker = new Worker(new AfterPause(costs));
    worker.batches(20);
    expect(worker.batches(2, 15)).toEqual(together(2));
    expect(worker.batches(4, 25)).toEqual(alone(4));
    expect(worker.batches(50, 15)).toEqual(together(50));
  });

  it('stays as planned behind a slow batch by itself', () => {
    const worker = new Worker(new AfterPause(costs));
    worker.batches(20);
    for (let count = 0; count < 5; count++)
      expect([worker.batch(20), ...worker.batches(30)], `slow one ${count}`).toEqual(together(31));
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
    const worker = new Worker(new AfterPause(undefined));
    expect([...worker.batches(10), ...worker.batches(10, 50)]).toEqual(together(20));
  });
});
