import { describe, expect, it } from 'vitest';
import { chainSettings } from '../../src/engine/loop/chain-settings.ts';
import { usualSamplers } from '../../src/native/sampler.ts';
import { greedy } from '../engine-contract/subject.ts';

const rules = { contextSize: 1000, forbidden: [] };

describe('the settings of a sampler chain', () => {
  it("are llama.cpp's own where the request says nothing", () => {
    const { settings, minTokens, looksBack } = chainSettings(greedy, rules);
    expect(settings).toMatchObject({
      ...{ samplers: usualSamplers, typicalP: 1, topNSigma: -1, mirostat: 0, minKeep: 0 },
      ...{ xtcProbability: 0, xtcThreshold: 0.1, dynamicTemperatureRange: 0, dynamicTemperatureExponent: 1 },
      ...{ dryMultiplier: 0, dryBase: 1.75, dryAllowedLength: 2, dryWindow: 64, penaltyWindow: 64 },
    });
    expect([minTokens, looksBack, settings.bias.size]).toEqual([0, 0, 0]);
  });

  it('are those of the request where it says something', () => {
    const advanced = { samplers: ['top_k', 'temperature'], topNSigma: 1.5, mirostat: 2, minKeep: 3 } as const;
    const { settings, minTokens } = chainSettings({ ...greedy, temperature: 0.7, minTokens: 4, advanced }, rules);
    expect(settings).toMatchObject({ ...advanced, temperature: 0.7, typicalP: 1 });
    expect(minTokens).toBe(4);
  });

  it('add what is said of single tokens: -100 is never, and so are those that are forbidden', () => {
    const logitBias = new Map([
      [1, 5],
      [2, -100],
      [3, -99.5],
      [4, 100],
      [5, 3],
    ]);
    const { settings } = chainSettings({ ...greedy, logitBias }, { ...rules, forbidden: [4, 5, 6] });
    expect([...settings.bias]).toEqual([
      [1, 5],
      [2, Number.NEGATIVE_INFINITY],
      [3, -99.5],
      [4, Number.NEGATIVE_INFINITY],
      [5, Number.NEGATIVE_INFINITY],
      [6, Number.NEGATIVE_INFINITY],
    ]);
  });

  it.each([
    ['no penalty', {}, 0],
    ['a repeat penalty', { repeatPenalty: 1.1 }, 64],
    ['a frequency penalty', { frequencyPenalty: -0.1 }, 64],
    ['a presence penalty', { presencePenalty: 0.1 }, 64],
    ['a window of the penalties', { repeatPenalty: 1.1, advanced: { penaltyWindow: 10 } }, 10],
    ['the whole context', { repeatPenalty: 1.1, advanced: { penaltyWindow: -1 } }, 1000],
    ['more than the context', { repeatPenalty: 1.1, advanced: { penaltyWindow: 5000 } }, 1000],
    ['penalties without a window', { repeatPenalty: 1.1, advanced: { penaltyWindow: 0 } }, 0],
    ['DRY', { advanced: { dryMultiplier: 0.8 } }, 64],
    ['DRY over the context', { advanced: { dryMultiplier: 0.8, dryWindow: -1 } }, 1000],
    ['a window of DRY that is off', { advanced: { dryWindow: 500 } }, 0],
    ['both', { repeatPenalty: 1.1, advanced: { penaltyWindow: 10, dryMultiplier: 0.8, dryWindow: 30 } }, 30],
  ])('look back at the prompt as far as the samplers do: %s', (_, changes, tokens) => {
    expect(chainSettings({ ...greedy, ...changes }, rules).looksBack).toBe(tokens);
  });
});
