import { describe, expect, it } from 'vitest';
import type { PrefixWay, Source, WayInput } from '../../src/scheduler/prefix-ways.ts';
import { cheapestWay } from '../../src/scheduler/prefix-ways.ts';

const slot = (id: number, held: number, promised = held): Source<string> => ({
  type: 'slot',
  slot: id,
  held,
  promised,
});
const snapshot = (name: string, shared: number, bytes = shared * 100): Source<string> => ({
  type: 'snapshot',
  snapshot: name,
  shared,
  bytes,
});
const keep: PrefixWay<string> = { type: 'keep' };

/** A prompt of 1,000 tokens; 1 ms a token, a transfer takes 2 ms and 1 ms per 10,000 bytes, 100 bytes a token. */
function plan(have: number, sources: readonly Source<string>[], more: Partial<WayInput<string>> = {}) {
  return cheapestWay<string>({
    promptLength: 1000,
    have,
    sources,
    tokenMs: 1,
    transferMs: (bytes) => 2 + bytes / 10_000,
    estimateBytes: (tokens) => tokens * 100,
    ...more,
  });
}

describe('where a prefix comes from', () => {
  it.each<[string, number, readonly Source<string>[], PrefixWay<string>]>([
    ['nothing anywhere', 0, [], keep],
    ['nothing better than what the slot holds', 500, [slot(1, 500), snapshot('a', 500)], keep],
    ['a gain too small to disturb anybody', 500, [slot(1, 515)], keep],
    ['the slot that holds most', 100, [slot(1, 400), slot(2, 700)], { type: 'copy', slot: 2, tokens: 700 }],
    ['a snapshot longer than any slot', 0, [slot(1, 400), snapshot('a', 900)], { type: 'load', snapshot: 'a' }],
    [
      'of two equal ones the slot: it moves less',
      0,
      [snapshot('a', 400, 90_000), slot(1, 400)],
      { type: 'copy', slot: 1, tokens: 400 },
    ],
    ['a snapshot that is mostly other tokens is not worth its bytes', 0, [snapshot('a', 100, 2_000_000)], keep],
    ['a neighbour that evaluates the same right now', 0, [slot(1, 0, 900)], { type: 'wait', slot: 1, tokens: 900 }],
    ['a neighbour that is nearly there', 200, [slot(1, 850, 900)], { type: 'wait', slot: 1, tokens: 900 }],
    [
      'a neighbour whose promise is hardly longer than what can be copied',
      0,
      [slot(1, 0, 720), slot(2, 700)],
      { type: 'copy', slot: 2, tokens: 700 },
    ],
    ['a neighbour that must first evaluate what the slot holds already', 850, [slot(1, 0, 900)], keep],
    [
      'the neighbour with the longest promise',
      0,
      [slot(1, 0, 300), slot(2, 0, 900)],
      { type: 'wait', slot: 2, tokens: 900 },
    ],
    [
      'the one of two equal neighbours that is further',
      0,
      [slot(1, 0, 900), slot(2, 500, 900)],
      { type: 'wait', slot: 2, tokens: 900 },
    ],
  ])('%s', (_, have, sources, expected) => {
    expect(plan(have, sources)).toEqual(expected);
  });

  it('evaluates when that is quicker than moving', () => {
    expect(plan(0, [slot(1, 900)], { tokenMs: 0.001 })).toEqual(keep);
    expect(plan(0, [snapshot('a', 900)], { tokenMs: 0.001 })).toEqual(keep);
  });
});
