/**
 * Discrete Fourier transform of real values. Of any size: halved as long as it is even (400 is 16 times 25), and what is
 * left over by the sum that defines it. In double precision, which costs nothing here.
 */
export class Fourier {
  readonly size: number;
  /** Bins of a spectrum: from 0 to the highest frequency. */
  readonly bins: number;
  readonly #odd: number;
  /** Which value comes at each place, so that every half lies together. */
  readonly #order: Int32Array;
  readonly #cos: Float64Array;
  readonly #sin: Float64Array;
  readonly #real: Float64Array;
  readonly #imaginary: Float64Array;

  constructor(size: number) {
    if (!(Number.isInteger(size) && size > 1)) throw new RangeError(`There is no transform of ${size} values.`);
    this.size = size;
    this.bins = Math.floor(size / 2) + 1;
    this.#odd = oddPartOf(size);
    this.#order = Int32Array.from(halved(Array.from({ length: size }, (_, at) => at)));
    this.#cos = Float64Array.from({ length: size }, (_, at) => Math.cos((2 * Math.PI * at) / size));
    this.#sin = Float64Array.from({ length: size }, (_, at) => Math.sin((2 * Math.PI * at) / size));
    this.#real = new Float64Array(size);
    this.#imaginary = new Float64Array(size);
  }

  /** The square of each bin's magnitude. `values`: `size` of them. */
  power(values: ArrayLike<number>, into: Float64Array): void {
    for (let start = 0; start < this.size; start += this.#odd) this.#sum(values, start);
    for (let half = this.#odd; half < this.size; half *= 2) this.#join(half);
    for (let bin = 0; bin < this.bins; bin++) {
      into[bin] = (this.#real[bin] ?? 0) ** 2 + (this.#imaginary[bin] ?? 0) ** 2;
    }
  }

  #sum(values: ArrayLike<number>, start: number): void {
    const [count, order, cos, sin] = [this.#odd, this.#order, this.#cos, this.#sin];
    const step = this.size / count;
    for (let bin = 0; bin < count; bin++) {
      let [real, imaginary] = [0, 0];
      for (let at = 0; at < count; at++) {
        const value = values[order[start + at] ?? 0] ?? 0;
        const angle = ((bin * at) % count) * step;
        real += value * (cos[angle] ?? 0);
        imaginary -= value * (sin[angle] ?? 0);
      }
      this.#real[start + bin] = real;
      this.#imaginary[start + bin] = imaginary;
    }
  }

  /** Two neighbouring spectra of `half` bins -> one of twice as many, everywhere. */
  #join(half: number): void {
    const [real, imaginary] = [this.#real, this.#imaginary];
    const step = this.size / (2 * half);
    for (let start = 0; start < this.size; start += 2 * half) {
      for (let bin = 0; bin < half; bin++) {
        const [even, odd] = [start + bin, start + half + bin];
        const [cos, sin] = [this.#cos[bin * step] ?? 0, this.#sin[bin * step] ?? 0];
        const [oddReal, oddImaginary] = [real[odd] ?? 0, imaginary[odd] ?? 0];
        const turnedReal = oddReal * cos + oddImaginary * sin;
        const turnedImaginary = oddImaginary * cos - oddReal * sin;
        const [evenReal, evenImaginary] = [real[even] ?? 0, imaginary[even] ?? 0];
        real[even] = evenReal + turnedReal;
        imaginary[even] = evenImaginary + turnedImaginary;
        real[odd] = evenReal - turnedReal;
        imaginary[odd] = evenImaginary - turnedImaginary;
      }
    }
  }
}

function oddPartOf(size: number): number {
  return size % 2 === 0 ? oddPartOf(size / 2) : size;
}

function halved(places: readonly number[]): readonly number[] {
  if (places.length % 2 === 1) return places;
  const every = (from: number) => halved(places.filter((_, at) => at % 2 === from));
  return [...every(0), ...every(1)];
}
