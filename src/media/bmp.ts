import { refused } from './file-kinds.ts';
import { checkSize, type ImageLimits } from './limits.ts';
import { channels, type Pixels } from './pixels.ts';

/** Headers from BITMAPINFOHEADER on, uncompressed: what programs write today. */
const leastHeader = 40;
const uncompressed = 0;
const masked = 3;

/** Of Windows bitmaps, which libvips does not read: 1, 4 and 8 bits with a palette, 24 and 32 bits. */
export function decodeBmp(bytes: Uint8Array, limits: ImageLimits): Pixels {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 14 + leastHeader) throw refused('it is cut off');
  const header = view.getUint32(14, true);
  const width = view.getInt32(18, true);
  const lines = view.getInt32(22, true);
  const height = Math.abs(lines);
  const bits = view.getUint16(28, true);
  const compression = view.getUint32(30, true);
  checkSize(width, height, limits);
  const plain = compression === uncompressed || (compression === masked && bits === 32);
  if (header < leastHeader || !plain || ![1, 4, 8, 24, 32].includes(bits)) {
    throw refused(`it is a bitmap of a rare kind (${bits} bits, compression ${compression})`);
  }
  const start = view.getUint32(10, true);
  const stride = Math.ceil((width * bits) / 32) * 4;
  if (start + stride * height > bytes.length) throw refused('it is cut off');
  const palette = bits <= 8 ? paletteOf(bytes, 14 + header, start, view.getUint32(46, true) || 2 ** bits) : undefined;
  const image = new Uint8Array(width * height * channels);
  for (let line = 0; line < height; line++) {
    const from = start + stride * (lines > 0 ? height - 1 - line : line);
    for (let column = 0; column < width; column++) {
      const to = (line * width + column) * channels;
      const at = palette ? palette(indexAt(bytes, from, column, bits)) : from + (column * bits) / 8;
      // Blue comes first. The fourth byte is mostly not used, whatever it holds.
      for (let channel = 0; channel < channels; channel++) image[to + channel] = bytes[at + 2 - channel] ?? 0;
    }
  }
  return { width, height, bytes: image };
}

/** Colour -> where it stands; colours beyond the table are the first. */
function paletteOf(bytes: Uint8Array, from: number, end: number, colours: number): (index: number) => number {
  const known = Math.min(colours, Math.floor((Math.min(end, bytes.length) - from) / 4));
  return (index) => from + 4 * (index < known ? index : 0);
}

function indexAt(bytes: Uint8Array, from: number, column: number, bits: number): number {
  const byte = bytes[from + Math.floor((column * bits) / 8)] ?? 0;
  return (byte >> (8 - bits - ((column * bits) % 8))) & (2 ** bits - 1);
}
