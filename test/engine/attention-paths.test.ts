import { afterAll, describe, expect, it } from 'vitest';
import { attentionBy } from '../../src/media/parts/attention-paths.ts';
import { Compute } from '../../src/native/compute.ts';
import { Graph } from '../../src/native/graph.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { library } from '../support/native.ts';
import { Random } from '../support/random.ts';

const pools = new ThreadPools(library, {});
const opened: Compute[] = [];
afterAll(() => {
  for (const compute of opened) compute.free();
  pools.free();
});

/** `took`: what each of the measured computations takes, by turns in full and with flash attention. */
function computeWith(flashAttention: boolean | undefined, took: readonly number[] = []): Compute {
  let now = 0;
  const durations = [...took];
  let isBegun = false;
  const clock = () => {
    isBegun = !isBegun;
    if (!isBegun) now += durations.shift() ?? Number.NaN;
    return now;
  };
  const compute = Compute.create(library, { gpu: false, pools, flashAttention, clock });
  compute.useThreads(1);
  opened.push(compute);
  return compute;
}

const shape = { headSize: 8, heads: 2 };
const inFull = attentionBy(computeWith(false), shape);
const quickly = attentionBy(computeWith(true), shape);

describe('the way of attention', () => {
  it('is what was asked for', () => {
    expect(inFull).not.toBe(quickly);
  });

  it.each([
    ['in full', inFull, [99, 1, 5, 6, 9, 6]],
    ['with flash attention', quickly, [1, 99, 6, 9, 6, 5]],
  ])('is %s where that was quicker at its best, the first round not counted', (_, way, took) => {
    const compute = computeWith(undefined, took);
    expect(attentionBy(compute, shape)).toBe(way);
    // It is not measured again.
    expect(attentionBy(compute, shape)).toBe(way);
  });

  it('is measured for each shape of heads', () => {
    const compute = computeWith(undefined, [9, 9, 5, 6, 5, 6, 9, 9, 6, 5, 6, 5]);
    expect([attentionBy(compute, shape), attentionBy(compute, { ...shape, heads: 4 })]).toEqual([inFull, quickly]);
  });

  it('is not measured before there are threads, as graphs are only described then', () => {
    const compute = Compute.create(library, { gpu: false, pools, clock: () => Number.NaN });
    opened.push(compute);
    expect(attentionBy(compute, shape)).toBe(quickly);
  });
});

describe('attention in full of so many rows that not all scores are held at once', () => {
  const rows = 5000;
  const random = new Random(3);
  const values = Float32Array.from({ length: 16 * rows }, () => random.next() * 2 - 1);
  const compute = computeWith(false);

  /** Of so many queries from one on. */
  const attended = (from: number, count: number) => {
    const graph = new Graph(library, 256);
    try {
      const all = graph.input(values, [8, 2, rows]);
      const q = graph.input(values.subarray(16 * from, 16 * (from + count)), [8, 2, count]);
      const [result] = compute.run(graph, [inFull(graph, { q, k: all, v: all }, 0.3)]) ?? [];
      return result ?? new Float32Array();
    } finally {
      graph.free();
    }
  };

  it('gives each row what it gives it alone', () => {
    const all = attended(0, rows);
    expect(all).toHaveLength(16 * rows);
    for (const from of [0, 2450, rows - 100]) {
      expect([...all.subarray(16 * from, 16 * (from + 100))]).toEqual([...attended(from, 100)]);
    }
  });
});
