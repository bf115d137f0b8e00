import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LoadedModel } from '../../src/engine/llama/load.ts';
import type { Tuning } from '../../src/engine/llama/tune.ts';
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

  it('measures the first batches behind a pause where several threads are best for prompts', () => {
    const { threads, figures, aloneAfterPause } = first.tuning;
    const { alone = 1, together = 0 } = figures?.behindPause ?? {};
    if (threads.prefill === 1) expect(figures?.behindPause).toBeUndefined();
    expect(aloneAfterPause !== undefined).toBe(together > 1.25 * alone);
    for (const cost of Object.values(aloneAfterPause ?? {})) expect(cost).toBeGreaterThanOrEqual(0);
  });

  it('leaves the slots empty', () => {
    expect(first.engine.slots().map(({ tokens }) => tokens.length)).toEqual([0, 0, 0, 0]);
  });
});

describe('flags', () => {
  const remembered: Tuning = {
    threads: { single: 1, batched: 2, prefill: 2 },
    flashAttention: false,
    origin: 'measured',
    aloneAfterPause: { perToken: 0.1, perSequence: 0.1 },
  };

  it.each([
    ['threads', { threads: 1, flashAttention: undefined }],
    ['flash attention', { threads: undefined, flashAttention: true }],
  ])('for %s are not remembered: later starts may go without', async (_, flags) => {
    const written: Tuning[] = [];
    const tuningMemory = { read: () => undefined, write: (_key: string, tuning: Tuning) => void written.push(tuning) };
    const { engine, tuning } = await loadDemoModel({ ...flags, tuningMemory });
    await engine.dispose();
    expect(tuning.origin).toBe('measured');
    expect(written).toEqual([]);
  });

  it('for threads go before what is remembered, after a pause too', async () => {
    const tuningMemory = { read: () => remembered, write: () => undefined };
    const { engine, tuning } = await loadDemoModel({ threads: 2, flashAttention: undefined, tuningMemory });
    await engine.dispose();
    expect(tuning).toEqual({
      threads: { single: 2, batched: 2, prefill: 2 },
      flashAttention: false,
      origin: 'remembered',
    });
  });
});
