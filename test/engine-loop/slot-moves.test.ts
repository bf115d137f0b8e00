import { appendFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Outbox } from '../../src/engine/loop/outbox.ts';
import { LoopRun } from '../../src/engine/loop/run.ts';
import { Slot } from '../../src/engine/loop/slot.ts';
import { SlotMoves } from '../../src/engine/loop/slot-moves.ts';
import type { StepMessage } from '../../src/engine/remote/protocol.ts';
import { greedy } from '../engine-contract/subject.ts';
import { FakeMemory, recordedSampling } from './support.ts';

const noStats = { steps: 0, prefillTokens: 0, decodeTokens: 0, prefillRate: undefined, decodeRate: undefined };

function threeSlots({ unified = false } = {}) {
  const memory = new FakeMemory(3, { unified });
  const slots = [0, 1, 2].map((id) => new Slot(id, { context: memory, needsCheckpoints: false }));
  const sent: StepMessage[] = [];
  const outbox = new Outbox(
    slots,
    () => noStats,
    (message) => sent.push(message),
  );
  const moves = new SlotMoves({ context: memory, slots, outbox });
  const hold = (id: number, ...tokens: number[]) => {
    slots[id]?.adopt(tokens);
    memory.lengths[id] = tokens.length;
  };
  const held = () => slots.map(({ tokens }) => tokens.join(' '));
  const occupy = (id: number) => {
    const job = { slot: id, prompt: Int32Array.of(1), reuse: 0, sampling: greedy, maxTokens: 1, ignoreEos: false };
    const run = new LoopRun(1, job, { cachedTokens: 0, stops: [], held: () => 0 }, recordedSampling(), () => 0);
    const slot = slots[id];
    if (slot) slot.run = run;
  };
  hold(0, 1, 2, 3, 4);
  hold(1, 9);
  return { memory, slots, moves, outbox, sent, hold, held, occupy };
}

describe('a snapshot', () => {
  it('is put into any slot, cut to what is wanted, as often as one likes', () => {
    const { moves, held, memory } = threeSlots();
    expect(moves.answer({ about: 'save', slot: 0, tokens: 3 })).toEqual({
      ...{ about: 'save', snapshot: 1, tokens: 3, bytes: 1 },
    });
    for (const slot of [1, 2])
      expect(moves.answer({ about: 'load', slot, snapshot: 1 })).toEqual({ about: 'load', done: true });
    expect(held()).toEqual(['1 2 3 4', '1 2 3', '1 2 3']);
    expect(memory.lengths).toEqual([4, 3, 3]);
  });

  it('has a number of its own, and is gone when it is dropped', () => {
    const { moves, held } = threeSlots();
    moves.answer({ about: 'save', slot: 0, tokens: 4 });
    expect(moves.answer({ about: 'save', slot: 1, tokens: 1 })).toMatchObject({ snapshot: 2 });
    moves.answer({ about: 'drop', snapshot: 1 });
    expect(moves.answer({ about: 'load', slot: 2, snapshot: 1 })).toEqual({ about: 'load', done: false });
    expect(moves.answer({ about: 'load', slot: 2, snapshot: 2 })).toEqual({ about: 'load', done: true });
    expect(held()[2]).toBe('9');
  });

  it.each(['restoreState', 'cut'] as const)('leaves an empty slot where the memory refuses it: %s', (refused) => {
    const { moves, held, memory } = threeSlots();
    moves.answer({ about: 'save', slot: 0, tokens: 3 });
    memory.refuses.add(refused);
    expect(moves.answer({ about: 'load', slot: 1, snapshot: 1 })).toEqual({ about: 'load', done: false });
    expect([held()[1], memory.lengths[1]]).toEqual(['', 0]);
  });

  it('is never put over a run', () => {
    const { moves, held, occupy } = threeSlots();
    occupy(1);
    moves.answer({ about: 'save', slot: 0, tokens: 3 });
    expect(moves.answer({ about: 'load', slot: 1, snapshot: 1 })).toEqual({ about: 'load', done: false });
    expect(held()[1]).toBe('9');
  });

  it('is of a slot that exists', () => {
    const { moves } = threeSlots();
    expect(() => moves.answer({ about: 'save', slot: 3, tokens: 1 })).toThrow('There is no slot 3.');
    expect(() => moves.answer({ about: 'copy', from: 0, to: 3, tokens: 1 })).toThrow('There is no slot 3.');
  });

  it('makes a state that no run made: its slot is not told of any more', () => {
    const { moves, outbox, sent } = threeSlots();
    outbox.admitted(5, 1, 1);
    outbox.flush();
    moves.answer({ about: 'save', slot: 0, tokens: 3 });
    moves.answer({ about: 'load', slot: 1, snapshot: 1 });
    outbox.flush();
    expect(sent).toHaveLength(1);
  });
});

describe('a copy', () => {
  it('goes through the state where each slot has a memory of its own', () => {
    const { moves, held, memory } = threeSlots();
    expect(moves.answer({ about: 'copy', from: 0, to: 2, tokens: 2 })).toEqual({ about: 'copy', done: true });
    expect([held()[2], memory.lengths[2]]).toEqual(['1 2', 2]);
    expect(memory.calls).toEqual(['clear 2', 'restore 2 4', 'cut 2 2']);
  });

  it('shares the beginning where all have one memory', () => {
    const { moves, held, memory } = threeSlots({ unified: true });
    expect(moves.answer({ about: 'copy', from: 0, to: 1, tokens: 2 })).toEqual({ about: 'copy', done: true });
    expect([held()[1], memory.calls]).toEqual(['1 2', ['share 0 1 2']]);
  });

  it('of more than is held leaves an empty slot', () => {
    const { moves, held } = threeSlots();
    expect(moves.answer({ about: 'copy', from: 0, to: 1, tokens: 5 })).toEqual({ about: 'copy', done: false });
    expect(held()[1]).toBe('');
  });

  it('never goes over a run, but may come from one', () => {
    const { moves, held, occupy } = threeSlots();
    occupy(0);
    expect(moves.answer({ about: 'copy', from: 0, to: 2, tokens: 2 })).toEqual({ about: 'copy', done: true });
    expect(moves.answer({ about: 'copy', from: 2, to: 0, tokens: 2 })).toEqual({ about: 'copy', done: false });
    expect(held()[0]).toBe('1 2 3 4');
  });

  it('carries the adapters that the state was made with', () => {
    for (const unified of [false, true]) {
      const { moves, slots } = threeSlots({ unified });
      const [from, to] = slots;
      if (from) from.adapters = [0.5];
      moves.answer({ about: 'copy', from: 0, to: 1, tokens: 2 });
      expect(to?.adapters).toEqual([0.5]);
    }
  });
});

describe('a file', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'serve-model-moves-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('brings all back that a slot held', () => {
    const { moves, held } = threeSlots();
    const path = join(folder, 'whole');
    expect(moves.answer({ about: 'write-file', slot: 0, path })).toEqual({ about: 'write-file' });
    const tokens = Int32Array.of(1, 2, 3, 4);
    expect(moves.answer({ about: 'read-file', slot: 2, path })).toEqual({ about: 'read-file', tokens });
    expect(held()[2]).toBe('1 2 3 4');
  });

  it('that is not as long as what was written is no file', () => {
    const { moves, memory } = threeSlots();
    const path = join(folder, 'short');
    const write = memory.writeState.bind(memory);
    memory.writeState = (...given) => {
      const written = write(...given);
      appendFileSync(path, 'x');
      return written;
    };
    const words = `Of 7 bytes, ${path} holds 8. Is the disk full?`;
    expect(() => moves.answer({ about: 'write-file', slot: 0, path })).toThrow(words);
  });

  it('that is refused leaves an empty slot, and is never read over a run', () => {
    const { moves, memory, held, occupy } = threeSlots();
    const path = join(folder, 'refused');
    moves.answer({ about: 'write-file', slot: 0, path });
    memory.refuses.add('readState');
    const refused = { about: 'read-file', tokens: undefined };
    expect(moves.answer({ about: 'read-file', slot: 1, path })).toEqual(refused);
    expect(held()[1]).toBe('');
    memory.refuses.clear();
    occupy(0);
    expect(moves.answer({ about: 'read-file', slot: 0, path })).toEqual(refused);
    expect(held()[0]).toBe('1 2 3 4');
  });
});
