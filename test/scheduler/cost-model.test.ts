import { describe, expect, it } from 'vitest';
import type { EngineStats } from '../../src/engine/engine.ts';
import { createCostModel } from '../../src/scheduler/cost-model.ts';
import { ManualTime } from './support.ts';

function model(prefillRate?: number) {
  const time = new ManualTime();
  const stats: EngineStats = {
    steps: 0,
    prefillTokens: 0,
    decodeTokens: 0,
    prefillRate,
    decodeRate: undefined,
    threads: { single: 1, batched: 1, prefill: 1 },
    flashAttention: false,
  };
  const costs = createCostModel(() => stats, time.clock);
  const move = (bytes: number, milliseconds: number) =>
    costs.measured(bytes, async () => {
      time.advance(milliseconds);
      return 'moved';
    });
  return { costs, move };
}

describe('cost model', () => {
  it('takes the engine at its word for evaluation, and assumes a slow one before it has measured', () => {
    expect(model(2000).costs.tokenMs()).toBe(0.5);
    expect(model().costs.tokenMs()).toBe(10);
  });

  it('learns the speed of transfers', async () => {
    const { costs, move } = model();
    const before = costs.transferMs(100_000_000);
    expect(await move(100_000_000, 10)).toBe('moved');
    expect(costs.transferMs(100_000_000)).toBeLessThan(before / 5);
  });

  it('believes a slow transfer less: it may have waited for a step', async () => {
    const { costs, move } = model();
    const before = costs.transferMs(10_000_000);
    await move(10_000_000, 2000);
    expect(costs.transferMs(10_000_000)).toBeLessThan(before * 1.2);
    for (let count = 0; count < 50; count++) await move(10_000_000, 2000);
    expect(costs.transferMs(10_000_000)).toBeGreaterThan(1000);
  });

  it('learns nothing from small ones', async () => {
    const { costs, move } = model();
    const before = costs.transferMs(1000);
    await move(1000, 500);
    expect(costs.transferMs(1000)).toBe(before);
  });

  it('passes a failing transfer on', async () => {
    const { costs } = model();
    await expect(costs.measured(1, () => Promise.reject(new Error('no memory')))).rejects.toThrow('no memory');
  });
});
