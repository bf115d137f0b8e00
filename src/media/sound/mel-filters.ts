export interface MelRule {
  /** How many bands. */
  readonly bands: number;
  /** Values of a transform. */
  readonly size: number;
  /** Samples a second. */
  readonly rate: number;
  /** `slaney`: even below 1,000 Hz, and every band weighs as much (librosa's). `htk`: logarithmic, every band as high. */
  readonly scale: 'slaney' | 'htk';
}

/** Triangles over the bins of a spectrum, each of its band's own bins alone. */
export interface MelBand {
  readonly first: number;
  readonly weights: Float32Array;
}

const slaneyBorder = 1000;
const slaneySlope = 3 / 200;
const slaneyStep = Math.log(6.4) / 27;

const scales = {
  slaney: {
    toMel: (hertz: number) =>
      hertz < slaneyBorder
        ? hertz * slaneySlope
        : slaneyBorder * slaneySlope + Math.log(hertz / slaneyBorder) / slaneyStep,
    toHertz: (mel: number) =>
      mel < slaneyBorder * slaneySlope
        ? mel / slaneySlope
        : slaneyBorder * Math.exp((mel - slaneyBorder * slaneySlope) * slaneyStep),
  },
  htk: {
    toMel: (hertz: number) => 2595 * Math.log10(1 + hertz / 700),
    toHertz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
} as const;

/** From 0 Hz to the highest that the rate has. */
export function melBands({ bands, size, rate, scale }: MelRule): MelBand[] {
  const { toMel, toHertz } = scales[scale];
  const highest = toMel(rate / 2);
  const edges = Array.from({ length: bands + 2 }, (_, at) => toHertz(highest * (at / (bands + 1))));
  const bins = Math.floor(size / 2) + 1;
  return Array.from({ length: bands }, (_, band) => {
    const [left = 0, centre = 0, right = 0] = edges.slice(band, band + 3);
    const height = scale === 'slaney' ? 2 / (right - left) : 1;
    const weightAt = (bin: number) => {
      const hertz = (bin * rate) / size;
      if (hertz < left || hertz > right) return 0;
      return height * (hertz <= centre ? (hertz - left) / (centre - left) : (right - hertz) / (right - centre));
    };
    const first = Math.min(bins, Math.ceil((left * size) / rate));
    const last = Math.min(bins - 1, Math.floor((right * size) / rate));
    const weights = Float32Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => weightAt(first + at));
    return { first, weights };
  });
}
