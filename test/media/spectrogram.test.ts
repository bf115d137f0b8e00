import { describe, expect, it } from 'vitest';
import { Fourier } from '../../src/media/sound/fourier.ts';
import { melBands } from '../../src/media/sound/mel-filters.ts';
import {
  framesOf,
  mirrored,
  SpectrogramMaker,
  type SpectrogramRule,
  scaledByLoudest,
} from '../../src/media/sound/spectrogram.ts';
import { Random } from '../support/random.ts';

const rule: SpectrogramRule = {
  ...{ bands: 80, size: 400, window: 400, hop: 160, rate: 16_000, scale: 'slaney' },
  ...{ of: 'power', logarithm: 'ten', floor: 1e-10 },
};

describe('a Fourier transform', () => {
  it.each([2, 3, 8, 25, 100, 400, 512])('is the sum that defines it: %i values', (size) => {
    const random = new Random(size);
    const values = Float64Array.from({ length: size }, () => random.next() - 0.5);
    const power = new Float64Array(Math.floor(size / 2) + 1);
    new Fourier(size).power(values, power);
    const wanted = Array.from(power, (_, bin) => {
      let [real, imaginary] = [0, 0];
      for (const [at, value] of values.entries()) {
        real += value * Math.cos((2 * Math.PI * bin * at) / size);
        imaginary -= value * Math.sin((2 * Math.PI * bin * at) / size);
      }
      return real ** 2 + imaginary ** 2;
    });
    for (const [bin, value] of wanted.entries()) expect(power[bin]).toBeCloseTo(value, 9);
  });

  it('has no size below two', () => {
    expect(() => new Fourier(1)).toThrow(RangeError);
    expect(() => new Fourier(2.5)).toThrow(RangeError);
  });
});

describe('bands of a mel scale', () => {
  it('weigh the same on Slaney’s', () => {
    const [size, rate] = [4096, 16_000];
    for (const { weights } of melBands({ bands: 80, size, rate, scale: 'slaney' })) {
      expect((rate / size) * weights.reduce((sum, weight) => sum + weight, 0)).toBeCloseTo(1, 1);
    }
  });

  it('have the weights that librosa gives them', () => {
    const [first] = melBands({ bands: 80, size: 400, rate: 16_000, scale: 'slaney' });
    expect(Math.max(...(first?.weights ?? []))).toBeCloseTo(0.02486, 5);
  });

  it('are as high as one another on the other scale', () => {
    const bands = melBands({ bands: 40, size: 4096, rate: 16_000, scale: 'htk' });
    for (const { weights } of bands) expect(Math.max(...weights)).toBeGreaterThan(0.9);
  });
});

describe('a spectrogram', () => {
  it('has the loudest band where a tone is', () => {
    const tone = Float32Array.from({ length: 4000 }, (_, at) => Math.sin((2 * Math.PI * 1000 * at) / 16_000));
    const { frames, bands, values } = new SpectrogramMaker(rule).make(tone);
    expect([frames, bands]).toEqual([23, 80]);
    const loud = (band: number) => values[band * frames + 10] ?? 0;
    const loudest = Array.from({ length: bands }, (_, band) => band).sort((left, right) => loud(right) - loud(left))[0];
    // 1,000 Hz is 15 mel of 45.245, in 81 steps.
    expect(loudest).toBe(Math.round((15 / 45.245) * 81) - 1);
  });

  it('is as quiet as its rule says where nothing sounds', () => {
    const { values } = new SpectrogramMaker(rule).make(new Float32Array(1000));
    expect(new Set(values)).toEqual(new Set([-10]));
  });

  it('needs samples for one frame', () => {
    expect(() => new SpectrogramMaker(rule).make(new Float32Array(399))).toThrow('399 samples make no frame of 400');
  });

  it('is scaled so that nothing lies more than 8 below the loudest', () => {
    const values = Float32Array.of(2, -3, -20);
    expect(scaledByLoudest({ frames: 3, bands: 1, values }).values).toEqual(Float32Array.of(1.5, 0.25, -0.5));
  });

  it('is cut band by band', () => {
    const values = Float32Array.of(1, 2, 3, 11, 12, 13);
    expect(framesOf({ frames: 3, bands: 2, values }, 1, 3, 9)).toEqual({
      ...{ frames: 3, bands: 2, values: Float32Array.of(2, 3, 9, 12, 13, 9) },
    });
  });
});

describe('samples in a mirror', () => {
  it('stand around the others, without the first and the last', () => {
    expect(mirrored(Float32Array.of(1, 2, 3, 4), 2, 3)).toEqual(Float32Array.of(3, 2, 1, 2, 3, 4, 3, 2, 1));
  });

  it('are silence where there are none', () => {
    expect(mirrored(Float32Array.of(1, 2), 3, 2)).toEqual(Float32Array.of(0, 0, 2, 1, 2, 1, 0));
  });
});
