import { describe, expect, it } from 'vitest';
import { planStep, type SequenceDemand } from '../../src/engine/plan-step.ts';

const decode = (slot: number, waiting = 1): SequenceDemand => ({ slot, waiting, phase: 'decode', starved: 0 });
const prefill = (slot: number, waiting: number, starved = 0): SequenceDemand => ({
  slot,
  waiting,
  phase: 'prefill',
  starved,
});

const limits = { batchSize: 512, prefillBudget: 64 };

describe('planStep', () => {
  it.each<[string, readonly SequenceDemand[], Partial<typeof limits>, readonly (readonly [number, number])[]]>([
    ['nobody wants anything', [], {}, []],
    ['one decodes', [decode(0)], {}, [[0, 1]]],
    [
      'all that decode advance together',
      [decode(0), decode(1), decode(5)],
      {},
      [
        [0, 1],
        [1, 1],
        [5, 1],
      ],
    ],
    ['forced tokens and guesses go in one piece', [decode(0, 7)], {}, [[0, 7]]],
    [
      'guesses that do not fit leave everybody a place',
      [decode(0, 9), decode(1, 9), decode(2, 9), decode(3)],
      { batchSize: 12 },
      [
        [0, 9],
        [1, 1],
        [2, 1],
        [3, 1],
      ],
    ],
    ['a prompt gets the prefill budget', [prefill(0, 500)], {}, [[0, 64]]],
    ['a prompt that is nearly read gets what it needs', [prefill(0, 5)], {}, [[0, 5]]],
    ['a prompt that is nearly read: half a budget more is taken along', [prefill(0, 96)], {}, [[0, 96]]],
    ['but no more than half', [prefill(0, 97)], {}, [[0, 64]]],
    [
      'nor while somebody decodes',
      [prefill(0, 65), decode(1)],
      {},
      [
        [0, 64],
        [1, 1],
      ],
    ],
    ['nor beyond the batch', [prefill(0, 96)], { batchSize: 80 }, [[0, 80]]],
    ['decoding never waits for a prompt', [prefill(0, 500), decode(1)], { prefillBudget: 0 }, [[1, 1]]],
    [
      'the shortest prompt first, the rest of the budget to the next',
      [prefill(0, 500), prefill(1, 20)],
      {},
      [
        [0, 44],
        [1, 20],
      ],
    ],
    ['of equal prompts the lower slot', [prefill(1, 500), prefill(0, 500)], {}, [[0, 64]]],
    ['who starved for long goes before the shorter', [prefill(0, 500, 8), prefill(1, 20)], {}, [[0, 64]]],
    ['who starved for a few steps does not', [prefill(0, 500, 7), prefill(1, 64)], {}, [[1, 64]]],
    ['of the starved the longest starved', [prefill(0, 500, 8), prefill(1, 500, 9)], {}, [[1, 64]]],
    [
      'the batch is the limit, for those who decode first',
      [decode(0), decode(1), prefill(2, 500)],
      { batchSize: 4, prefillBudget: 64 },
      [
        [0, 1],
        [1, 1],
        [2, 2],
      ],
    ],
    [
      'a batch too small for all who decode takes the first',
      [decode(0), decode(1), decode(2)],
      { batchSize: 2 },
      [
        [0, 1],
        [1, 1],
      ],
    ],
    [
      'in the order of the slots, whatever the phases',
      [prefill(0, 10), decode(1), prefill(2, 5), decode(3)],
      {},
      [
        [0, 10],
        [1, 1],
        [2, 5],
        [3, 1],
      ],
    ],
  ])('%s', (_, demands, more, expected) => {
    const shares = planStep(demands, { ...limits, ...more });
    expect(shares.map(({ slot, tokens }) => [slot, tokens])).toEqual(expected);
  });

  it('starves no prompt behind an endless stream of shorter ones', () => {
    let starved = 0;
    for (; starved < 100; starved++) {
      const shares = planStep([prefill(0, 1000, starved), prefill(1, 64)], limits);
      if (shares.some(({ slot }) => slot === 0)) break;
    }
    expect(starved).toBe(8);
  });
});
