import { Fourier } from './fourier.ts';
import { type MelBand, type MelRule, melBands } from './mel-filters.ts';

/** What an encoder hears: band by band, `frames` values each. */
export interface Spectrogram {
  readonly frames: number;
  readonly bands: number;
  readonly values: Float32Array;
}

export function isSpectrogram(tile: object): tile is Spectrogram {
  return 'bands' in tile;
}

export interface SpectrogramRule extends MelRule {
  /** Samples of which a frame is made, from the middle of the transform's. */
  readonly window: number;
  /** Samples from one frame to the next. */
  readonly hop: number;
  /** Of magnitudes or of their squares. */
  readonly of: 'magnitude' | 'power';
  readonly logarithm: 'natural' | 'ten';
  /** Below it, everything is as quiet. */
  readonly floor: number;
}

/** What most programs take for silence. */
export const quietest = 2 ** -24;

/** Makes spectrograms by one rule, whose tables it keeps. */
export class SpectrogramMaker {
  readonly rule: SpectrogramRule;
  readonly #fourier: Fourier;
  readonly #window: Float32Array;
  readonly #bands: readonly MelBand[];

  constructor(rule: SpectrogramRule) {
    this.rule = rule;
    this.#fourier = new Fourier(rule.size);
    this.#window = hann(rule.window);
    this.#bands = melBands(rule);
  }

  /** Frames from the first sample on, as many as fit: padding is the caller's. At least `size` samples. */
  make(samples: Float32Array): Spectrogram {
    const { size, hop, bands } = this.rule;
    const frames = Math.floor((samples.length - size) / hop) + 1;
    if (frames < 1) throw new RangeError(`${samples.length} samples make no frame of ${size}.`);
    const values = new Float32Array(frames * bands);
    const frame = new Float64Array(size);
    const power = new Float64Array(this.#fourier.bins);
    for (let at = 0; at < frames; at++) {
      if (this.#windowed(samples, at * hop, frame)) this.#fourier.power(frame, power);
      else power.fill(0);
      this.#write(power, values, at, frames);
    }
    return { frames, bands, values };
  }

  /** False: it is silent. */
  #windowed(samples: Float32Array, from: number, frame: Float64Array): boolean {
    const { length } = this.#window;
    const margin = Math.floor((frame.length - length) / 2);
    let sounds = false;
    for (let at = 0; at < length; at++) {
      const sample = samples[from + margin + at] ?? 0;
      if (sample !== 0) sounds = true;
      frame[margin + at] = sample * (this.#window[at] ?? 0);
    }
    return sounds;
  }

  #write(power: Float64Array, values: Float32Array, at: number, frames: number): void {
    const { of, logarithm, floor } = this.rule;
    if (of === 'magnitude') for (let bin = 0; bin < power.length; bin++) power[bin] = Math.sqrt(power[bin] ?? 0);
    for (const [band, { first, weights }] of this.#bands.entries()) {
      let sum = 0;
      for (let bin = 0; bin < weights.length; bin++) sum += (power[first + bin] ?? 0) * (weights[bin] ?? 0);
      const loud = Math.max(sum, floor);
      values[band * frames + at] = logarithm === 'ten' ? Math.log10(loud) : Math.log(loud);
    }
  }
}

/** The window of Hann, periodic. */
function hann(length: number): Float32Array {
  return Float32Array.from({ length }, (_, at) => 0.5 * (1 - Math.cos((2 * Math.PI * at) / length)));
}

/** Whisper's scaling: nothing lies more than 8 below the loudest, which leaves about -1 to 1. */
export function scaledByLoudest({ frames, bands, values }: Spectrogram): Spectrogram {
  let loudest = Number.NEGATIVE_INFINITY;
  for (const value of values) if (value > loudest) loudest = value;
  return { frames, bands, values: values.map((value) => (Math.max(value, loudest - 8) + 4) / 4) };
}

/** `count` frames from `from` on; what lies behind the end is `filler`. */
export function framesOf(spectrogram: Spectrogram, from: number, count: number, filler = 0): Spectrogram {
  const { frames, bands, values } = spectrogram;
  const part = new Float32Array(count * bands).fill(filler);
  const end = Math.min(frames, from + count);
  for (let band = 0; band < bands; band++) {
    part.set(values.subarray(band * frames + from, band * frames + end), band * count);
  }
  return { frames: count, bands, values: part };
}

/** `before` samples mirrored in front and `behind` at the end; where there are none to mirror, silence. */
export function mirrored(samples: Float32Array, before: number, behind: number): Float32Array {
  const padded = new Float32Array(before + samples.length + behind);
  padded.set(samples, before);
  for (let at = 1; at <= before; at++) padded[before - at] = samples[at] ?? 0;
  for (let at = 1; at <= behind; at++) padded[before + samples.length - 1 + at] = samples[samples.length - 1 - at] ?? 0;
  return padded;
}
