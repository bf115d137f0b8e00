import { describe, expect, it } from 'vitest';
import { AdapterTurns } from '../../src/engine/loop/adapter-turns.ts';
import type { AdapterHandle } from '../../src/native/adapter.ts';
import type { Pointer } from '../../src/native/pointer.ts';

const base: readonly number[] = [];
const one = [1, 0];
const other = [0, 0.5];

function turns(turnMs = 50) {
  let now = 1000;
  const used: string[] = [];
  const context = {
    useAdapters: (adapters: readonly { readonly adapter: AdapterHandle; readonly scale: number }[]) =>
      void used.push(adapters.map(({ adapter: { pointer }, scale }) => `${pointer}:${scale}`).join(' ')),
  };
  const adapters = [7n, 8n].map((address) => ({
    adapter: { pointer: address as Pointer, use: () => () => undefined },
  }));
  const created = new AdapterTurns(context, adapters, () => now, turnMs);
  return { next: (...wanted: (readonly number[])[]) => created.next(wanted), used, pass: (ms: number) => (now += ms) };
}

describe('the turns of runs with adapters', () => {
  it('change nothing where all want what there is', () => {
    const { next, used } = turns();
    expect([next(base, base), next(), next([0, 0])]).toEqual([base, base, base]);
    expect(used).toEqual([]);
  });

  it('go to whoever is there alone, at once', () => {
    const { next, used } = turns();
    expect([next(one, one), next(other), next(base)]).toEqual([one, other, base]);
    expect(used).toEqual(['7:1', '8:0.5', '']);
  });

  it('last a step target each, and come to all', () => {
    const { next, used, pass } = turns();
    const seen: (readonly number[])[] = [];
    const wanted = [one, other, one];
    for (let step = 0; step < 12; step++) {
      seen.push(next(...wanted));
      pass(20);
    }
    expect(seen.map((scales) => (scales === one ? 1 : 2)).join('')).toBe('111222111222');
    expect(used).toHaveLength(4);
  });

  it('come to each of many kinds, whoever is first in the list', () => {
    const { next, pass } = turns();
    const kinds = [base, one, other, [1, 1]];
    const wanted = [one, other, one, base, [1, 1], other];
    const seen: number[] = [];
    for (let turn = 0; turn < 12; turn++) {
      const scales = next(...wanted);
      seen.push(kinds.findIndex((kind) => kind.join() === scales.join()));
      pass(50);
    }
    const rounds = [0, 4, 8].map((at) => seen.slice(at, at + 4).sort());
    expect(rounds).toEqual(Array(3).fill([0, 1, 2, 3]));
  });

  it('tell adapters by what they add, not by the list that says it', () => {
    const { next, used } = turns();
    next([1, 0]);
    next([1]);
    next([1, 0, 0]);
    expect(used).toEqual(['7:1']);
  });

  it('take several adapters at once', () => {
    const { next, used } = turns();
    next([0.25, -1]);
    expect(used).toEqual(['7:0.25 8:-1']);
  });
});
