import sharp from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../src/media/decode.ts';

const limits = { mostPixels: 1_000_000 };
const red = { width: 3, height: 2, channels: 3, background: { r: 255, g: 0, b: 0 } } as const;
const bytesOf = async (file: Uint8Array) => [...(await decodeImage(file, limits)).bytes];
const rest = (count: number, ...colour: number[]) => Array.from({ length: count }, () => colour).flat();

/** 24 bits, from the bottom up. */
function bitmap(width: number, height: number, colour: readonly [number, number, number]): Uint8Array {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const file = new Uint8Array(54 + stride * height);
  const view = new DataView(file.buffer);
  file.set([0x42, 0x4d]);
  view.setUint32(10, 54, true);
  view.setUint32(14, 40, true);
  view.setInt32(18, width, true);
  view.setInt32(22, height, true);
  view.setUint16(28, 24, true);
  for (let line = 0; line < height; line++)
    for (let column = 0; column < width; column++)
      file.set([colour[2], colour[1], colour[0]], 54 + line * stride + column * 3);
  return file;
}

describe('a file of an image', () => {
  it.each(['png', 'webp', 'gif', 'tiff', 'avif'] as const)('as %s is read', async (format) => {
    const file = await sharp({ create: red }).toFormat(format, { lossless: true }).toBuffer();
    const { width, height, bytes } = await decodeImage(file, limits);
    expect([width, height, bytes.length]).toEqual([3, 2, 18]);
    expect(bytes[0]).toBeGreaterThan(250);
  });

  it('as JPEG is turned as its EXIF data says', async () => {
    const file = await sharp({ create: red }).withMetadata({ orientation: 6 }).jpeg().toBuffer();
    expect(await decodeImage(file, limits)).toMatchObject({ width: 2, height: 3 });
  });

  it('as BMP is read from the bottom up, blue first', async () => {
    expect(await bytesOf(bitmap(3, 2, [9, 8, 7]))).toEqual(rest(6, 9, 8, 7));
  });

  it('lies on white where it is transparent', async () => {
    const clear = { width: 1, height: 1, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } } as const;
    expect(await bytesOf(await sharp({ create: clear }).png().toBuffer())).toEqual([255, 255, 255]);
  });

  it('in grey or with 16 bits becomes eight bits of each colour', async () => {
    const grey = await sharp({ create: red }).greyscale().png().toBuffer();
    const [first, second, third] = await bytesOf(grey);
    expect([second, third]).toEqual([first, first]);
    const deep = await sharp({ create: red }).toColourspace('rgb16').png().toBuffer();
    expect(await bytesOf(deep)).toEqual(rest(6, 255, 0, 0));
  });
});

describe('a file that is refused', () => {
  const text = (words: string) => new TextEncoder().encode(words);
  const png = () => sharp({ create: red }).png().toBuffer();

  it.each([
    ['nothing', new Uint8Array()],
    ['SVG', text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>alert(1)</script></svg>')],
    ['SVG behind XML', text('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')],
    ['HTML', text('<!doctype html><img src=x>')],
    ['PDF', text('%PDF-1.7\n')],
    ['HEIC', text('\0\0\0\x18ftypheic\0\0\0\0')],
  ])('%s by its first bytes', async (_, file) => {
    await expect(decodeImage(file, limits)).rejects.toThrow(/cannot be read: .*Images are PNG, JPEG/);
  });

  it('is cut off, or goes on like another kind', async () => {
    const whole = await png();
    for (const length of [8, 20, 40, whole.length - 20])
      await expect(decodeImage(whole.subarray(0, length), limits)).rejects.toMatchObject({ code: 'invalid_request' });
    const svg = text('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const polyglot = new Uint8Array([...whole.subarray(0, 8), ...svg]);
    await expect(decodeImage(polyglot, limits)).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(decodeImage(bitmap(3, 2, [0, 0, 0]).subarray(0, 60), limits)).rejects.toThrow('cut off');
  });

  it('is too large, by its header alone', async () => {
    /** A header that announces more than the file holds. */
    const announced = (width: number, height: number) => {
      const file = bitmap(1, 1, [0, 0, 0]);
      new DataView(file.buffer).setInt32(18, width, true);
      new DataView(file.buffer).setInt32(22, height, true);
      return file;
    };
    await expect(decodeImage(announced(20_000, 1), limits)).rejects.toThrow('no side may be longer than 16384');
    await expect(decodeImage(announced(1001, 1000), limits)).rejects.toThrow('more than 1,000,000 in all');
    await expect(decodeImage(announced(0, 0), limits)).rejects.toThrow('there is nothing to see');
    const bomb = await sharp({ create: { ...red, width: 2000, height: 2000 } })
      .png()
      .toBuffer();
    await expect(decodeImage(bomb, limits)).rejects.toThrow('2000 x 2000');
  });
});
