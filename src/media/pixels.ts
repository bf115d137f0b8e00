/** An image of eight bits a colour: red, green and blue of one point after another, row by row. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly bytes: Uint8Array;
}

export type Colour = readonly [number, number, number];

export const channels = 3;

export function blank(width: number, height: number, [red, green, blue]: Colour): Pixels {
  const bytes = new Uint8Array(width * height * channels);
  if (red !== 0 || green !== 0 || blue !== 0) {
    for (let at = 0; at < bytes.length; at += channels) bytes.set([red, green, blue], at);
  }
  return { width, height, bytes };
}

export function crop(
  { width: stride, bytes }: Pixels,
  {
    left,
    top,
    width,
    height,
  }: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
): Pixels {
  const cut = new Uint8Array(width * height * channels);
  for (let row = 0; row < height; row++) {
    const from = ((top + row) * stride + left) * channels;
    cut.set(bytes.subarray(from, from + width * channels), row * width * channels);
  }
  return { width, height, bytes: cut };
}

/** Writes an image over another one; it has to lie within. */
export function paste(onto: Pixels, image: Pixels, left: number, top: number): void {
  for (let row = 0; row < image.height; row++) {
    const from = row * image.width * channels;
    const to = ((top + row) * onto.width + left) * channels;
    onto.bytes.set(image.bytes.subarray(from, from + image.width * channels), to);
  }
}

/**
 * What encoders read: all reds, all greens, all blues, each (value / 255 - mean) / deviation in single precision.
 */
export function planes({ width, height, bytes }: Pixels, mean: Colour, deviation: Colour): Float32Array {
  const size = width * height;
  const values = new Float32Array(size * channels);
  for (let channel = 0; channel < channels; channel++) {
    const table = Float32Array.from(
      { length: 256 },
      (_, value) =>
        Math.fround(Math.fround(value / 255) - Math.fround(mean[channel] ?? 0)) / Math.fround(deviation[channel] ?? 1),
    );
    const plane = values.subarray(channel * size, (channel + 1) * size);
    for (let at = 0; at < size; at++) plane[at] = table[bytes[at * channels + channel] ?? 0] ?? 0;
  }
  return values;
}
