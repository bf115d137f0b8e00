import { describe, expect, it } from 'vitest';
import { Slot } from '../../src/engine/loop/slot.ts';
import { greedy } from '../engine-contract/subject.ts';
import { FakeMemory } from './support.ts';

function slotWith(tokens: number, { needsCheckpoints = false } = {}) {
  const memory = new FakeMemory(1);
  const slot = new Slot(0, { context: memory, needsCheckpoints });
  /** As a decode leaves it. */
  const evaluate = (count: number) => {
    for (let at = 0; at < count; at++) slot.tokens.push(100 + slot.tokens.length);
    memory.lengths[0] = slot.tokens.length;
  };
  evaluate(tokens);
  return { memory, slot, evaluate };
}

const job = {
  slot: 0,
  prompt: new Int32Array(100),
  reuse: 0,
  sampling: greedy,
  maxTokens: 1,
  ignoreEos: false,
};

describe('a slot whose memory can be cut anywhere', () => {
  it('is cut to a length, and left alone where it has it', () => {
    const { slot, memory } = slotWith(5);
    slot.cut(5);
    expect(memory.calls).toEqual([]);
    slot.cut(3);
    expect([slot.tokens, memory.lengths]).toEqual([[100, 101, 102], [3]]);
    slot.cut(0);
    expect(slot.tokens).toEqual([]);
  });

  it('needs no checkpoints', () => {
    const { slot } = slotWith(5);
    expect([slot.cutPoints, slot.stops({ ...job, checkpoints: [10] })]).toEqual([undefined, []]);
  });

  it('says so where the memory refuses, and is as it was', () => {
    const { slot, memory } = slotWith(5);
    memory.refuses.add('cut');
    expect(() => slot.cut(3)).toThrow('Slot 0 refused a cut at 3.');
    expect(slot.tokens).toHaveLength(5);
  });

  it('holds what was put into its sequence', () => {
    const { slot, memory } = slotWith(5);
    slot.adopt([1, 2]);
    expect(slot.tokens).toEqual([1, 2]);
    slot.clear();
    expect([slot.tokens, memory.calls]).toEqual([[], ['clear 0']]);
  });
});

describe('a slot whose memory has checkpoints', () => {
  const filled = () => {
    const created = slotWith(4, { needsCheckpoints: true });
    for (let count = 0; count < 3; count++) {
      created.slot.takeCheckpoint();
      created.evaluate(4);
    }
    return created;
  };

  it('can be cut there', () => {
    const { slot, memory } = filled();
    expect(slot.cutPoints).toEqual([4, 8, 12]);
    slot.cut(8);
    expect(memory.calls).toEqual(['restore 0 ~8', 'cut 0 8']);
    expect([slot.tokens.length, slot.cutPoints]).toEqual([8, [4, 8]]);
  });

  it('has none left when it is empty', () => {
    const { slot, memory } = filled();
    slot.cut(0);
    expect([slot.cutPoints, memory.lengths]).toEqual([[], [0]]);
  });

  it('takes each once, and keeps the first and the last of many', () => {
    const { slot, evaluate } = filled();
    slot.takeCheckpoint();
    slot.takeCheckpoint();
    expect(slot.cutPoints).toEqual([4, 8, 12, 16]);
    evaluate(4);
    slot.takeCheckpoint();
    expect(slot.cutPoints).toEqual([4, 12, 16, 20]);
  });

  it.each(['restoreState', 'cut'] as const)('says so where the memory refuses: %s', (refused) => {
    const { slot, memory } = filled();
    memory.refuses.add(refused);
    expect(() => slot.cut(8)).toThrow('Slot 0 could not be restored to 8 tokens.');
  });

  it('says so where it is not at the place of the checkpoint afterwards, or has none there', () => {
    const { slot, memory } = filled();
    memory.lengths[0] = 6;
    expect(() => slot.cut(8)).toThrow('could not be restored');
    expect(() => slot.cut(9)).toThrow('could not be restored');
  });

  it.each([
    [
      [10, 50],
      [10, 50],
    ],
    [[0, 10, 100, 101], [10]],
    [[], [99]],
    [undefined, [99]],
  ])('stops a prompt of 100 tokens with checkpoints at %j at %j', (checkpoints, stops) => {
    const { slot } = slotWith(0, { needsCheckpoints: true });
    expect(slot.stops({ ...job, ...(checkpoints && { checkpoints }) })).toEqual(stops);
  });

  it('has none of another state', () => {
    const { slot } = filled();
    slot.adopt([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(slot.cutPoints).toEqual([]);
  });
});

describe('a slot whose decode was broken off', () => {
  it('holds what it held before where that is still there', () => {
    const { slot, memory } = slotWith(5);
    memory.lengths[0] = 9;
    slot.recover(5);
    expect([slot.tokens.length, memory.lengths]).toEqual([5, [5]]);
  });

  it('is empty where that is gone, or cannot be cut out', () => {
    const { slot, memory } = slotWith(5);
    memory.lengths[0] = 3;
    slot.recover(5);
    expect([slot.tokens.length, memory.lengths]).toEqual([0, [0]]);
    const other = slotWith(5);
    other.memory.lengths[0] = 9;
    other.memory.refuses.add('cut');
    other.slot.recover(5);
    expect([other.slot.tokens.length, other.memory.lengths]).toEqual([0, [0]]);
  });
});
