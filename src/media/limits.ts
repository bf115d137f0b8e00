import { ServeError } from '../contract/errors.ts';

export interface ImageLimits {
  readonly mostPixels: number;
}

const longestSide = 16_384;

/** By what the file's header says, before anything is decoded. */
export function checkSize(width: number, height: number, { mostPixels }: ImageLimits): void {
  const size = `This image is ${width} x ${height} points`;
  if (!(width > 0 && height > 0)) throw new ServeError('invalid_request', `${size}: there is nothing to see.`);
  if (width > longestSide || height > longestSide) {
    throw new ServeError('invalid_request', `${size}; no side may be longer than ${longestSide}. Scale it down.`);
  }
  if (width * height > mostPixels) {
    const most = mostPixels.toLocaleString('en-US');
    throw new ServeError('invalid_request', `${size}, more than ${most} in all (--image-max-pixels). Scale it down.`);
  }
}
