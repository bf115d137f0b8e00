import { ServeError } from '../contract/errors.ts';

export type FileKind = 'png' | 'jpeg' | 'webp' | 'gif' | 'bmp' | 'avif' | 'tiff';

const names: Readonly<Record<FileKind, string>> = {
  png: 'PNG',
  jpeg: 'JPEG',
  webp: 'WebP',
  gif: 'GIF',
  bmp: 'BMP',
  avif: 'AVIF',
  tiff: 'TIFF',
};

/** What a file is by its first bytes: what a client calls it is not believed. ServeError invalid_request: none of these. */
export function kindOfFile(bytes: Uint8Array): FileKind {
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString('latin1');
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'png';
  if (text(0, 3) === '\xff\xd8\xff') return 'jpeg';
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'webp';
  if (/^GIF8[79]a$/.test(text(0, 6))) return 'gif';
  if (text(0, 2) === 'BM') return 'bmp';
  if (text(4, 8) === 'ftyp' && /^avi[fs]$/.test(text(8, 12))) return 'avif';
  if (text(0, 4) === 'II*\0' || text(0, 4) === 'MM\0*') return 'tiff';
  throw refused(bytes.length === 0 ? 'it is empty' : 'its first bytes are none of these');
}

export function refused(why: string, cause?: unknown): ServeError {
  const sentence = `This image cannot be read: ${why}. Images are ${Object.values(names).join(', ')} files.`;
  return new ServeError('invalid_request', sentence, {}, cause === undefined ? {} : { cause });
}
