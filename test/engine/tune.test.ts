import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../src/engine/llama/load.ts';
import { loadDemoModel } from '../support/demo-engine.ts';

describe('calibration at load', () => {
  let first: LoadedModel;
  let second: LoadedModel;
  let calibrations = 0;
  beforeAll(async () => {
    const changes = {
      threads: undefined,
      flashAttention: undefined,
      onCalibrate: () => void calibrations++,
    };
    first = await loadDemoModel(changes);
    const tuningMemory = { read: () => first.tuning, write: () => undefined };
    second = await loadDemoModel({ ...changes, tuningMemory });
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

  it('does not measure again what an earlier start has measured', () => {
    expect(calibrations).toBe(1);
    expect(second.tuning).toEqual({ ...first.tuning, origin: 'remembered' });
  });

  it('leaves the slots empty', () => {
    expect(first.engine.slots().map(({ tokens }) => tokens.length)).toEqual([0, 0, 0, 0]);
  });
});
