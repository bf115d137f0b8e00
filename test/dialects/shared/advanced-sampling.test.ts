import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { samplerNames } from '../../../src/contract/request.ts';
import { advancedSamplingFields, toAdvancedSampling } from '../../../src/dialects/shared/advanced-sampling.ts';
import { validate } from '../../../src/dialects/shared/validate.ts';

const fields = z.looseObject(advancedSamplingFields);
const read = (body: unknown) => toAdvancedSampling(validate(fields, body));

describe("llama.cpp's further samplers", () => {
  it('are asked for by the names of its server', () => {
    expect(
      read({
        typical_p: 0.9,
        top_n_sigma: 1.5,
        dynatemp_range: 0.5,
        dynatemp_exponent: 2,
        mirostat: 2,
        mirostat_tau: 4,
        mirostat_eta: 0.2,
        xtc_probability: 0.5,
        xtc_threshold: 0.1,
        dry_multiplier: 0.8,
        dry_base: 1.75,
        dry_allowed_length: 2,
        dry_penalty_last_n: -1,
        dry_sequence_breakers: ['\n'],
        repeat_last_n: 0,
        adaptive_target: 0.4,
        adaptive_decay: 0.9,
        min_keep: 2,
      }),
    ).toEqual({
      typicalP: 0.9,
      topNSigma: 1.5,
      dynamicTemperatureRange: 0.5,
      dynamicTemperatureExponent: 2,
      mirostat: 2,
      mirostatTau: 4,
      mirostatEta: 0.2,
      xtcProbability: 0.5,
      xtcThreshold: 0.1,
      dryMultiplier: 0.8,
      dryBase: 1.75,
      dryAllowedLength: 2,
      dryWindow: -1,
      drySequenceBreakers: ['\n'],
      penaltyWindow: 0,
      adaptiveTarget: 0.4,
      adaptiveDecay: 0.9,
      minKeep: 2,
    });
    expect(read({ typical_p: null })).toBeUndefined();
  });

  it('take their order from names in any spelling, or from letters', () => {
    expect(read({ samplers: ['top-k', 'TEMP', 'typical_p', 'adaptive_p'] })?.samplers).toEqual([
      'top_k',
      'temperature',
      'typ_p',
      'adaptive_p',
    ]);
    expect(read({ samplers: 'tk' })?.samplers).toEqual(['temperature', 'top_k']);
    expect(read({ samplers: 'edskypmxtia' })?.samplers).toEqual(samplerNames);
    expect(read({ samplers: [] })?.samplers).toEqual([]);
  });

  it.each([
    [{ samplers: ['top_k', 'magic'] }, /`samplers` names "magic"/],
    [{ samplers: 'kz' }, /`samplers` names "z"/],
    [{ mirostat: 3 }, /mirostat/],
    [{ mirostat_tau: Number.NaN }, /mirostat_tau/],
    [{ dry_multiplier: -1 }, /dry_multiplier/],
    [{ dry_sequence_breakers: [] }, /dry_sequence_breakers/],
    [{ dry_penalty_last_n: -2 }, /dry_penalty_last_n/],
    [{ min_tokens: -1 }, /min_tokens/],
  ])('refuse %j', (body, words) => {
    expect(() => read(body)).toThrow(words);
  });
});
