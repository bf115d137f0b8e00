import { describe, expect, it } from 'vitest';
import { StepPacer } from '../../src/engine/step-pacer.ts';

const settings = { batchSize: 512, targetMs: 50, idleTargetMs: 400 };

function learned(...steps: Parameters<StepPacer['learn']>[0][]): StepPacer {
  const pacer = new StepPacer(settings);
  for (const step of steps) pacer.learn(step);
  return pacer;
}

const decodeStep = { prefillTokens: 0, decodeTokens: 4, ms: 10 };

describe('StepPacer', () => {
  it('starts with a careful guess, never above the batch', () => {
    expect(learned().budget(0)).toBe(64);
    expect(new StepPacer({ ...settings, batchSize: 32 }).budget(0)).toBe(32);
  });

  it.each([
    ['nobody decodes: up to the longer target, in whole tiles of flash attention', 4, 0, 128],
    ['the nearest number of tiles', 4.3, 0, 64],
    ['nobody decodes on a slow device: a tile, if half of it fits', 12, 0, 64],
    ['less than half a tile stays', 16, 0, 25],
    ['somebody decodes: what is left of the target beside the decode step', 4, 4, 16],
    ['a fast device gets whole batches', 0.01, 4, 512],
    ['a slow one no piece too small to be worth its call', 20, 4, 16],
  ])('%s', (_, msPerToken, decoding, budget) => {
    const pacer = learned(decodeStep, { prefillTokens: 100, decodeTokens: 0, ms: 100 * msPerToken });
    expect(pacer.budget(decoding)).toBe(budget);
  });

  it('takes the decoding out of a mixed step', () => {
    const mixed = learned(decodeStep, { prefillTokens: 40, decodeTokens: 4, ms: 50 });
    expect(mixed.prefillRate).toBeCloseTo(1000, 5);
    expect(mixed.budget(4)).toBe(40);
  });

  it('follows a change smoothly and ignores crumbs', () => {
    const pacer = learned({ prefillTokens: 100, decodeTokens: 0, ms: 100 });
    pacer.learn({ prefillTokens: 1, decodeTokens: 0, ms: 80 });
    expect(pacer.prefillRate).toBeCloseTo(1000, 5);
    pacer.learn({ prefillTokens: 100, decodeTokens: 0, ms: 200 });
    expect(pacer.prefillRate).toBeCloseTo(1000 / 1.3, 5);
  });

  it('is not misled by what a step costs by itself, which is most of a short prompt’s time', () => {
    const pacer = learned({ prefillTokens: 500, decodeTokens: 0, ms: 50 });
    for (let count = 0; count < 3; count++) pacer.learn({ prefillTokens: 20, decodeTokens: 0, ms: 8 });
    expect(pacer.budget(4)).toBeGreaterThan(300);
    pacer.learn({ prefillTokens: 300, decodeTokens: 0, ms: 32 });
    expect(pacer.budget(4)).toBeGreaterThan(400);
  });
});
