import { TextDecoder } from 'node:util';
import { CallFailure } from '../call-failure.ts';

/** HTML and the page's address to text that a model reads. Rejects with a CallFailure or the signal's reason. */
export type Converter = (html: string, url: string, signal: AbortSignal) => Promise<string>;

export interface Page {
  readonly url: string;
  readonly bytes: Uint8Array;
  /** The Content-Type header as it came. */
  readonly contentType: string | undefined;
}

/** The text of what came. Throws a CallFailure where it has none. */
export async function pageText(page: Page, convert: Converter, signal: AbortSignal): Promise<string> {
  const type = mediaType(page.contentType);
  if (isBinary(page.bytes)) throw noText(page);
  const charset = charsetOf(page);
  if (type === 'text/html' || type === 'application/xhtml+xml')
    return convert(decode(page.bytes, charset), page.url, signal);
  if (isText(type)) return decode(page.bytes, charset);
  if (type !== '') throw noText(page);
  const text = decode(page.bytes, charset);
  return /^\s*<(!doctype html|html)/i.test(text) ? convert(text, page.url, signal) : text;
}

/** Without its parameters, in lower case; empty where there is none. */
export function mediaType(contentType = ''): string {
  return contentType.split(';')[0]?.trim().toLowerCase() ?? '';
}

function isText(type: string): boolean {
  return /^text\/|[/+](json|xml|yaml|x-yaml|toml|javascript|x-ndjson|ld\+json|rtf)$/.test(type);
}

function noText({ contentType, bytes }: Page): CallFailure {
  const type = mediaType(contentType) || 'of an unknown type';
  return new CallFailure(`What is there is ${type} (${bytes.length} bytes) and cannot be read as text.`);
}

/** Text has no zeros, but for UTF-16, which says so at its begin. */
function isBinary(bytes: Uint8Array): boolean {
  const [first, second] = bytes;
  const isUtf16 = (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff);
  return !isUtf16 && bytes.subarray(0, 4096).includes(0);
}

/** By its first bytes, by the header, by what the page says itself; else UTF-8. */
function charsetOf({ bytes, contentType = '' }: Page): string {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return 'utf-16le';
  if (first === 0xfe && second === 0xff) return 'utf-16be';
  const told = /charset\s*=\s*["']?([^\s"';]+)/i;
  const begin = Buffer.from(bytes.subarray(0, 1024)).toString('latin1');
  const own = /<meta[^>]*charset\s*=\s*["']?([^\s"'/>;]+)|<\?xml[^>]*encoding\s*=\s*["']([^"']+)/i.exec(begin);
  return told.exec(contentType)?.[1] ?? own?.[1] ?? own?.[2] ?? 'utf-8';
}

function decode(bytes: Uint8Array, charset: string): string {
  return decoderOf(charset).decode(bytes);
}

function decoderOf(charset: string): TextDecoder {
  try {
    return new TextDecoder(charset);
  } catch {
    return new TextDecoder();
  }
}
