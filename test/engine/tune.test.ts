import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../src/engine/llama/load.ts';
import type { Tuning } from '../../src/engine/llama/tune.ts';
import { loadDemoModel } from '../support/demo-engine.ts';

describe('calibration at load', () => {
  const remembered = new Map<string, Tuning>();
  const memory = {
    read: (key: string) => remembered.get(key),
    write: (key: string, tuning: Tuning) => void remembered.set(key, tuning),
  };
  let first: LoadedModel;
  let second: LoadedModel;
  let calibrations = 0;
  beforeAll(async () => {
    const changes = {
      threads: undefined,
      flashAttention: undefined,
      tuningMemory: memory,
      machineIsBusy: () => false,
      onCalibrate: () => void calibrations++,
    };
    first = await loadDemoModel(changes);
    second = await loadDemoModel(changes);
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

  it('measures once per model and machine', () => {
    expect(calibrations).toBe(1);
    expect(second.tuning).toEqual({ ...first.tuning, origin: 'remembered' });
  });

  it('leaves the slots empty', () => {
    expect(first.engine.slots().map(({ tokens }) => tokens.length)).toEqual([0, 0, 0, 0]);
  });
});
