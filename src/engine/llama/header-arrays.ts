import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HeaderOffset, headerParser, type NativeHeaderParser } from './native.ts';
import { libraryHome } from './prebuilt-file.ts';

const stringType = 8;
const arrayType = 9;
/** Of one value, by GGUF type; none for what has no fixed size. */
const bytesOfType = new Map([1, 1, 2, 2, 4, 4, 4, 1, undefined, undefined, 8, 8, 8].entries());
/** Shorter arrays, like the heads of each layer, are read. */
const long = 1024;

let counting: Promise<void> | undefined;

/**
 * node-llama-cpp reads the whole header in JavaScript before it loads a model: of 151,936 tokens, their merges and types
 * for 250 ms, on the event loop. All it ever asks of these arrays is how long they are, so they are skipped here and
 * come out as arrays of holes. Should a later version look different, the header is read as before.
 */
export function countLongHeaderArrays(): Promise<void> {
  counting ??= replaceReading();
  return counting;
}

async function replaceReading(): Promise<void> {
  const file = pathToFileURL(join(libraryHome(), 'dist/gguf/parser/GgufV2Parser.js')).href;
  const parser = headerParser(await import(file).catch(() => undefined));
  if (!parser) return;
  const read = parser._readGgufValue;
  parser._readGgufValue = function readOrSkip(this: NativeHeaderParser, type, at) {
    return type === arrayType ? readArray(this, at, () => read.call(this, type, at)) : read.call(this, type, at);
  };
}

async function readArray(
  { _fileReader: reader }: NativeHeaderParser,
  at: HeaderOffset,
  read: () => unknown,
): Promise<unknown> {
  await reader.ensureHasByteRange(at.offset, 12);
  const type = reader._buffer.readUInt32LE(at.offset);
  const count = Number(reader._buffer.readBigUInt64LE(at.offset + 4));
  const bytes = bytesOfType.get(type);
  if (count <= long || (bytes === undefined && type !== stringType)) return read();
  at.moveBy(12);
  if (bytes !== undefined) at.moveBy(count * bytes);
  else await skipStrings(reader, at, count);
  const holes: unknown[] = [];
  holes.length = count;
  return holes;
}

async function skipStrings(reader: NativeHeaderParser['_fileReader'], at: HeaderOffset, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const waiting = reader.ensureHasByteRange(at.offset, 8);
    if (waiting) await waiting;
    at.moveBy(8 + Number(reader._buffer.readBigUInt64LE(at.offset)));
  }
}
