import { availableParallelism } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import type { Tuning } from '../../src/engine/tuning.ts';
import { demoModelPath, loadDemoModel } from '../support/demo-engine.ts';
import { DrivenLoop } from '../support/driven-loop.ts';

describe('calibration at load', () => {
  let first: LoadedEngine;
  let second: LoadedEngine;
  let calibrations = 0;
  beforeAll(async () => {
    const changes = {
      threads: undefined,
      flashAttention: undefined,
      onCalibrate: () => void calibrations++,
    };
    first = await loadDemoModel(changes);
    const tuningCache = { read: () => first.tuning, write: () => undefined };
    second = await loadDemoModel({ ...changes, tuningCache });
  });
  afterAll(async () => {
    await first.engine.dispose();
    await second.engine.dispose();
  });

  it('measures threads and flash attention with real steps', () => {
    const { threads, figures, origin, flashAttention } = first.tuning;
    expect(origin).toBe('measured');
    expect(typeof flashAttention).toBe('boolean');
    for (const [kind, count] of Object.entries(threads)) {
      expect(Object.keys(figures?.[kind as keyof typeof threads] ?? {}), kind).toContain(String(count));
    }
  });

  it('is told with its figures', () => {
    const { figures, threads } = first.tuning;
    expect(first.engine.stats()).toMatchObject({ threads, calibration: { origin: 'measured', ...figures } });
    expect(second.engine.stats().calibration).toMatchObject({ origin: 'remembered', single: figures?.single });
  });

  it('does not measure again what an earlier start has measured', () => {
    expect(calibrations).toBe(1);
    expect(second.tuning).toEqual({ ...first.tuning, origin: 'remembered' });
  });

  it('leaves the slots empty', () => {
    expect(first.engine.slots().map(({ tokens }) => tokens.length)).toEqual([0, 0, 0, 0]);
  });
});

it('measures nothing on more threads than there are cores, which wait for each other in every step', async () => {
  const loaded = await loadDemoModel({ threads: availableParallelism() + 1, flashAttention: undefined });
  try {
    expect(loaded.tuning.figures).not.toHaveProperty('depth');
    expect(loaded.tuning.flashAttention).toBe(true);
  } finally {
    await loaded.engine.dispose();
  }
});

it('that is interrupted reads nothing that was not computed, which would end the process', () => {
  const loop = new DrivenLoop({ threads: undefined, flashAttention: undefined }, demoModelPath, { interrupted: true });
  try {
    loop.interrupt.clear();
    loop.run(1, { prompt: Int32Array.from(loop.tokens('Hello')) });
    loop.finish();
    expect(loop.tokensOf(1)).toHaveLength(8);
  } finally {
    loop.free();
  }
});

describe('what is remembered', () => {
  it('holds for starts with the same flags only', async () => {
    const remembered: Tuning = {
      threads: { single: 1, batched: 1, prefill: 1 },
      flashAttention: false,
      origin: 'measured',
    };
    const keys: string[] = [];
    const tuningCache = {
      read: (key: string) => {
        keys.push(key);
        return remembered;
      },
      write: () => undefined,
    };
    const starts = [
      { threads: undefined, flashAttention: undefined },
      { threads: 1, flashAttention: undefined },
      { threads: undefined, flashAttention: false },
      { threads: 1, flashAttention: undefined },
    ];
    for (const flags of starts) {
      const { engine, tuning } = await loadDemoModel({ ...flags, tuningCache });
      await engine.dispose();
      expect(tuning).toEqual({ ...remembered, origin: 'remembered' });
    }
    expect(keys[3]).toBe(keys[1]);
    expect(new Set(keys).size).toBe(3);
  });
});
