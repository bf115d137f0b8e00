import { refusedSound } from './refused-sound.ts';

export interface SoundLimits {
  /** Of one sound. */
  readonly mostSeconds: number;
}

export interface RecordingFormat {
  /** Samples a second. */
  readonly rate: number;
  readonly channels: number;
  /** Samples of each channel, where the file says it. */
  readonly samples?: number;
}

/** Where those who decode put what they find, as they find it. */
export interface SampleSink {
  /** Once, before the first samples. ServeError invalid_request: more than is allowed. */
  begin(format: RecordingFormat): void;
  /** The next samples of each channel, about -1 to 1; as many of each. ServeError invalid_request. */
  add(channels: readonly Float32Array[]): void;
}

const mostChannels = 64;
const mostRate = 768_000;

/**
 * Makes one channel of what is decoded, and looks at limits before there is more of it in memory: a small file can hold
 * hours.
 */
export class Recorder implements SampleSink {
  readonly #rate: number;
  readonly #limits: SoundLimits;
  readonly #pieces: Float32Array[] = [];
  #format: RecordingFormat | undefined;
  #samples = 0;

  /** `rate`: samples a second that are wanted. */
  constructor(rate: number, limits: SoundLimits) {
    this.#rate = rate;
    this.#limits = limits;
  }

  begin(format: RecordingFormat): void {
    const { rate, channels, samples = 0 } = format;
    if (!(channels >= 1 && channels <= mostChannels)) throw refusedSound(`it has ${channels} channels`);
    if (!(rate > 0 && rate <= mostRate)) throw refusedSound(`it has ${rate} samples a second`);
    if (rate !== this.#rate) {
      throw refusedSound(`it has ${rate} samples a second, and is taken with ${this.#rate} alone`);
    }
    this.#format = format;
    this.#check(samples);
  }

  add(channels: readonly Float32Array[]): void {
    if (!this.#format) throw new Error('Nothing is known of these samples.');
    const [first] = channels;
    if (!first || first.length === 0) return;
    this.#check(this.#samples + first.length);
    const mixed = mix(channels, first.length);
    if (!mixed.every(Number.isFinite)) throw refusedSound('some of its samples are no numbers');
    this.#pieces.push(mixed);
    this.#samples += mixed.length;
  }

  /** ServeError invalid_request: there is nothing to hear. */
  finish(): Float32Array {
    if (this.#samples === 0) throw refusedSound('there is nothing in it');
    const all = new Float32Array(this.#samples);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  #check(samples: number): void {
    const seconds = samples / (this.#format?.rate ?? 1);
    const { mostSeconds } = this.#limits;
    if (seconds <= mostSeconds) return;
    throw refusedSound(`it is longer than ${mostSeconds} seconds (--audio-max-seconds)`);
  }
}

/** Channels are as loud as one another. */
function mix(channels: readonly Float32Array[], length: number): Float32Array {
  const [only, ...more] = channels;
  if (only && more.length === 0) return only;
  const mixed = new Float32Array(length);
  for (const channel of channels) {
    for (let at = 0; at < length; at++) mixed[at] = (mixed[at] ?? 0) + (channel[at] ?? 0) / channels.length;
  }
  return mixed;
}
