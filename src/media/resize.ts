import { blank, type Colour, channels, type Pixels, paste } from './pixels.ts';

export type Filter = 'bilinear' | 'bicubic' | 'lanczos';

/** Widths of the filters, and what they give at a distance (Pillow's: cubic with a = -0.5). */
const filters: Readonly<Record<Filter, { readonly support: number; readonly at: (distance: number) => number }>> = {
  bilinear: { support: 1, at: (x) => Math.max(0, 1 - Math.abs(x)) },
  bicubic: { support: 2, at: cubic },
  lanczos: { support: 3, at: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0) },
};

function cubic(distance: number): number {
  const x = Math.abs(distance);
  if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
  return x < 2 ? (((x - 5) * x + 8) * x - 4) * -0.5 : 0;
}

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
}

/** Of fixed-point weights: what 32 bits leave beside a byte and the filter's overshoot. */
const fraction = 22;
const half = 1 << (fraction - 1);

/** Which source points make a target point, and by how much. */
interface Weights {
  readonly first: Int32Array;
  readonly count: Int32Array;
  readonly each: Int32Array;
  /** Places in `each` of one target point. */
  readonly stride: number;
}

/**
 * Scales as Pillow's `Image.resize` does (libImaging/Resample.c), byte for byte: across, then down, in fixed-point numbers,
 * with a rounding to bytes in between. Models were trained on images that were scaled so.
 */
export function resize(image: Pixels, width: number, height: number, filter: Filter): Pixels {
  const across = image.width === width ? image : resizeAcross(image, width, weigh(image.width, width, filter));
  return across.height === height ? across : resizeDown(across, height, weigh(across.height, height, filter));
}

function weigh(from: number, to: number, filter: Filter): Weights {
  const scale = from / to;
  const spread = Math.max(scale, 1);
  const support = filters[filter].support * spread;
  const stride = Math.ceil(support) * 2 + 1;
  const weights = { first: new Int32Array(to), count: new Int32Array(to), each: new Int32Array(to * stride), stride };
  const exact = new Float64Array(stride);
  for (let target = 0; target < to; target++) {
    const centre = (target + 0.5) * scale;
    const first = Math.max(0, Math.trunc(centre - support + 0.5));
    const count = Math.min(from, Math.trunc(centre + support + 0.5)) - first;
    let sum = 0;
    for (let at = 0; at < count; at++) {
      const weight = filters[filter].at((at + first - centre + 0.5) * (1 / spread));
      exact[at] = weight;
      sum += weight;
    }
    for (let at = 0; at < count; at++) {
      const share = sum === 0 ? (exact[at] ?? 0) : (exact[at] ?? 0) / sum;
      weights.each[target * stride + at] = Math.trunc(share * 2 ** fraction + (share < 0 ? -0.5 : 0.5));
    }
    weights.first[target] = first;
    weights.count[target] = count;
  }
  return weights;
}

function resizeAcross(image: Pixels, width: number, { first, count, each, stride }: Weights): Pixels {
  const { height, bytes: from } = image;
  const bytes = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const line = row * image.width * channels;
    let to = row * width * channels;
    for (let target = 0; target < width; target++, to += channels) {
      let [red, green, blue] = [half, half, half];
      let at = line + (first[target] ?? 0) * channels;
      const start = target * stride;
      const end = start + (count[target] ?? 0);
      for (let place = start; place < end; place++, at += channels) {
        const weight = each[place] ?? 0;
        red += (from[at] ?? 0) * weight;
        green += (from[at + 1] ?? 0) * weight;
        blue += (from[at + 2] ?? 0) * weight;
      }
      bytes[to] = clip(red);
      bytes[to + 1] = clip(green);
      bytes[to + 2] = clip(blue);
    }
  }
  return { width, height, bytes };
}

function resizeDown({ width, bytes: from }: Pixels, height: number, weights: Weights): Pixels {
  const line = width * channels;
  const bytes = new Uint8Array(line * height);
  const sums = new Int32Array(line);
  for (let target = 0; target < height; target++) {
    sums.fill(half);
    for (let step = 0; step < (weights.count[target] ?? 0); step++) {
      const weight = weights.each[target * weights.stride + step] ?? 0;
      const start = ((weights.first[target] ?? 0) + step) * line;
      for (let at = 0; at < line; at++) sums[at] = (sums[at] ?? 0) + (from[start + at] ?? 0) * weight;
    }
    for (let at = 0; at < line; at++) bytes[target * line + at] = clip(sums[at] ?? 0);
  }
  return { width, height, bytes };
}

function clip(sum: number): number {
  const value = sum >> fraction;
  return Math.max(0, Math.min(255, value));
}

/** Scaled to fit with its proportions kept, in the middle of a ground of this colour. An image of the size stays as it is. */
export function resizeInto(image: Pixels, width: number, height: number, filter: Filter, ground: Colour): Pixels {
  if (image.width === width && image.height === height) return image;
  // In single precision, as llama.cpp computes it: the size hangs on the last bit.
  const scale = Math.min(Math.fround(width / image.width), Math.fround(height / image.height));
  const scaledTo = (length: number, most: number) => Math.min(Math.ceil(Math.fround(length * scale)), most);
  const scaled = resize(image, scaledTo(image.width, width), scaledTo(image.height, height), filter);
  const padded = blank(width, height, ground);
  paste(padded, scaled, Math.floor((width - scaled.width) / 2), Math.floor((height - scaled.height) / 2));
  return padded;
}
