import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { libraryHome } from './prebuilt-library.ts';

/** The part of node-llama-cpp's header reader that is used here; internal, like what native.ts lists. */
interface HeaderParser {
  readonly _fileReader: {
    readonly _buffer: Buffer;
    /** undefined when the bytes are in the buffer already. */
    ensureHasByteRange(offset: number, length: number): Promise<void> | undefined;
  };
  _readGgufValue(type: number, at: ReadOffset): unknown;
}

interface ReadOffset {
  readonly offset: number;
  moveBy(bytes: number): void;
}

const stringType = 8;
const arrayType = 9;
const bytesOfType: Readonly<Record<number, number>> = {
  ...{ 0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8 },
};
/** Shorter arrays, like the heads of each layer, are read. */
const long = 1024;

/**
 * node-llama-cpp reads the whole header in JavaScript before it loads a model: of 151,936 tokens, their merges and types
 * for 250 ms, on the event loop. All it ever asks of these arrays is how long they are, so they are skipped here and
 * come out as arrays of holes. Should a later version look different, the header is read as before.
 */
export async function countLongHeaderArrays(): Promise<void> {
  const file = pathToFileURL(join(libraryHome(), 'dist/gguf/parser/GgufV2Parser.js')).href;
  const module: unknown = await import(file).catch(() => undefined);
  const parser = parserOf(module);
  const read = parser?._readGgufValue;
  if (!parser || typeof read !== 'function') return;
  parser._readGgufValue = function readOrSkip(this: HeaderParser, type, at) {
    return type === arrayType ? readArray(this, at, () => read.call(this, type, at)) : read.call(this, type, at);
  };
}

function parserOf(module: unknown): HeaderParser | undefined {
  const found = module as { GgufV2Parser?: { prototype?: HeaderParser } } | undefined;
  return found?.GgufV2Parser?.prototype;
}

async function readArray({ _fileReader: reader }: HeaderParser, at: ReadOffset, read: () => unknown): Promise<unknown> {
  await reader.ensureHasByteRange(at.offset, 12);
  const type = reader._buffer.readUInt32LE(at.offset);
  const count = Number(reader._buffer.readBigUInt64LE(at.offset + 4));
  const bytes = bytesOfType[type];
  if (count <= long || (bytes === undefined && type !== stringType)) return read();
  at.moveBy(12);
  if (bytes !== undefined) at.moveBy(count * bytes);
  else await skipStrings(reader, at, count);
  const holes: unknown[] = [];
  holes.length = count;
  return holes;
}

async function skipStrings(reader: HeaderParser['_fileReader'], at: ReadOffset, count: number): Promise<void> {
  for (let left = count; left > 0; left--) {
    const waiting = reader.ensureHasByteRange(at.offset, 8);
    if (waiting) await waiting;
    at.moveBy(8 + Number(reader._buffer.readBigUInt64LE(at.offset)));
  }
}
