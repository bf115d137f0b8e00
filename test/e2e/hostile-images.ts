import { crc32, deflateSync } from 'node:zlib';
import type { HostileRequest } from './hostile-requests.ts';

const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

function chunk(kind: string, data: Uint8Array): Buffer {
  const named = Buffer.concat([Buffer.from(kind, 'latin1'), data]);
  const frame = Buffer.alloc(8);
  frame.writeUInt32BE(data.length);
  frame.writeUInt32BE(crc32(named), 4);
  return Buffer.concat([frame.subarray(0, 4), named, frame.subarray(4)]);
}

/** Black; `lines`: how many the file holds, whatever it says. */
function png(width: number, height: number, lines = height): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header.set([1, 0], 8);
  const pixels = deflateSync(Buffer.alloc(lines * (1 + Math.ceil(width / 8))));
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))]);
}

function withImage(file: Uint8Array): object {
  const url = `data:image/png;base64,${Buffer.from(file).toString('base64')}`;
  return { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url } }] }], max_tokens: 1 };
}

const text = (words: string) => Buffer.from(words, 'latin1');
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><script>for(;;);</script></svg>';
const small = png(48, 48);

const files: readonly (readonly [string, Uint8Array])[] = [
  ['a bomb: 15 kB that would be 300 MB', png(10_000, 10_000)],
  ['a side of 20,000 points', png(20_000, 1)],
  ['a header of 2,147,483,647 x 2,147,483,647 points', png(0x7fff_ffff, 0x7fff_ffff, 0)],
  ['0 x 0 points', png(0, 0)],
  ['1 x 0 points', png(1, 0)],
  ['half of an image', small.subarray(0, small.length >> 1)],
  ['an image that announces a thousand times what it holds', png(6000, 6000, 6)],
  ['SVG with a script', text(svg)],
  ['SVG behind a PNG’s first bytes', Buffer.concat([signature, text(svg)])],
  ['HTML behind a GIF’s first bytes', text('GIF89a/*<script>alert(1)</script>*/')],
  ['a PDF with an image in it', Buffer.concat([text('%PDF-1.7\n'), small])],
  ['a bitmap of minus 1 x 1 points', Buffer.concat([text('BM'), Buffer.alloc(16), Buffer.alloc(8, 0xff)])],
];

/** Files that say other things than they are, or more than they hold. */
export const hostileImages: readonly HostileRequest[] = files.map(([name, file]) => ({
  name: `an image: ${name}`,
  body: withImage(file),
  status: 400,
}));

/** What is wrong with none of them is not the way that they are sent. */
export const harmlessImage: HostileRequest = { name: 'an image', body: withImage(small), status: 200 };
