import type { Pixels } from '../../src/media/pixels.ts';
import { Random } from './random.ts';

/** What each kind of projector is compared on. */
export const tinyImages = {
  square: [96, 96],
  wide: [208, 64],
  tall: [56, 200],
  point: [1, 1],
  large: [400, 304],
  /** Only for those that cut images into tiles of 512 points. */
  huge: [900, 700],
} as const;

export type TinyImageName = keyof typeof tinyImages;
const names = Object.keys(tinyImages) as readonly TinyImageName[];

export function tinyImagesFor(family: string): readonly TinyImageName[] {
  return names.filter((name) => name !== 'huge' || family === 'lfm2');
}

/** Slopes, edges and noise, so that each point and each filter matters. */
export function tinyImage(name: TinyImageName): Pixels {
  const [width, height] = tinyImages[name];
  const random = new Random(width * 1000 + height);
  const bytes = new Uint8Array(3 * width * height);
  for (let at = 0; at < width * height; at++) {
    const [x, y] = [at % width, Math.floor(at / width)];
    const box = (Math.floor(x / 23) + Math.floor(y / 17)) % 3 === 0 ? 90 : 0;
    bytes[3 * at] = Math.floor((x / width) * 120 + box + random.next() * 40);
    bytes[3 * at + 1] = Math.floor((y / height) * 160 + random.next() * 90);
    bytes[3 * at + 2] = Math.floor(200 - box - ((x + y) % 64) + random.next() * 50);
  }
  return { width, height, bytes };
}
