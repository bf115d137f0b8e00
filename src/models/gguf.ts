import { open, stat } from 'node:fs/promises';
import { ServeError } from '../contract/errors.ts';
import type { JsonValue } from '../contract/json.ts';
import { arrayType, damaged, GgufReader, leastBytes, MoreBytesNeeded, stringType } from './gguf-reader.ts';
import { tensorTypes } from './gguf-tables.ts';

/** The beginning of one GGUF file: what it says about itself, without weights. */
export interface GgufHeader {
  readonly version: number;
  /** Flat, by the file's own keys. An array longer than 64 is given as `{array: type, length}`. */
  readonly metadata: ReadonlyMap<string, JsonValue>;
  readonly tensors: readonly GgufTensor[];
  /** Where the weights begin, in bytes from the start of the file. */
  readonly dataStart: number;
  readonly fileSize: number;
}

export interface GgufTensor {
  readonly name: string;
  readonly type: string;
  /** ggml_type. */
  readonly typeNumber: number;
  /** At most four sides, that of a row first. */
  readonly shape: readonly number[];
  readonly values: number;
  /** Where it begins behind `dataStart`, and its length; 0 for types that are not known here. */
  readonly offset: number;
  readonly bytes: number;
}

const longestShownArray = 64;
const mostDimensions = 4;
/** Over the network, and on disk, where reading anew costs more than reading more. */
const firstRead = { remote: 1 << 20, local: 1 << 23 };
/** Vocabularies of 260,000 tokens with merges take about 15 MB. */
const longestHeader = 1 << 29;

/**
 * Reads and checks the header of a file. Never crashes and never allocates more than twice the header's size, whatever
 * the file holds. Throws ServeError invalid_request when it is missing, no regular file, no GGUF, damaged or cut off.
 */
export async function readGguf(
  path: string,
  what: 'model' | 'adapter' | 'importance matrix' = 'model',
): Promise<GgufHeader> {
  const file = await openFile(path, what);
  try {
    const { size } = await file.stat();
    const read = async (length: number): Promise<Uint8Array> => {
      const buffer = new Uint8Array(length);
      const { bytesRead } = await file.read(buffer, 0, length, 0);
      return buffer.subarray(0, bytesRead);
    };
    return await growHeader(size, read, firstRead.local);
  } catch (error) {
    if (error instanceof ServeError) throw new ServeError(error.code, `${path}: ${error.message}`, { param: path });
    throw error;
  } finally {
    await file.close();
  }
}

/** Reads more and more from the start of the file until the header is complete. Works on disk and over the network. */
export async function growHeader(
  fileSize: number,
  readStart: (length: number) => Promise<Uint8Array>,
  first: number = firstRead.remote,
): Promise<GgufHeader> {
  let wanted = Math.min(fileSize, first);
  for (;;) {
    const bytes = await readStart(wanted);
    if (bytes.byteLength < wanted) throw damaged('it became shorter while it was read');
    try {
      return parseGguf(bytes, fileSize);
    } catch (error) {
      if (!(error instanceof MoreBytesNeeded)) throw error;
      if (error.until > longestHeader) throw damaged(`its header is longer than ${longestHeader} bytes`);
      wanted = Math.min(fileSize, Math.max(error.until, wanted * 4));
    }
  }
}

/** `bytes`: the beginning of the file. Throws MoreBytesNeeded when the header goes on behind them. */
export function parseGguf(bytes: Uint8Array, fileSize: number): GgufHeader {
  const reader = new GgufReader(bytes, fileSize);
  const { version, tensorCount, entryCount } = readCounts(reader, bytes, fileSize);
  const metadata = new Map<string, JsonValue>();
  for (let index = 0; index < entryCount; index++) metadata.set(reader.string(), readValue(reader, reader.uint32()));
  const { tensors, dataStart } = readTensors(reader, tensorCount, metadata.get('general.alignment'));
  return { version, metadata, tensors, dataStart, fileSize };
}

/** The metadata as far as the bytes at hand go, without what they cut. Throws where it is no GGUF file. */
export function readGeneralEntries(bytes: Uint8Array, fileSize: number): GgufHeader['metadata'] {
  const reader = new GgufReader(bytes, fileSize);
  const { entryCount } = readCounts(reader, bytes, fileSize);
  const metadata = new Map<string, JsonValue>();
  try {
    for (let index = 0; index < entryCount; index++) metadata.set(reader.string(), readValue(reader, reader.uint32()));
  } catch (error) {
    if (!(error instanceof MoreBytesNeeded)) throw error;
  }
  return metadata;
}

function readCounts(reader: GgufReader, bytes: Uint8Array, fileSize: number) {
  checkMagic(bytes, fileSize);
  reader.take(4);
  const version = reader.uint32();
  if (version !== 2 && version !== 3) throw wrongVersion(version);
  const tensorCount = reader.countOf('tensors', reader.uint64(), 24);
  const entryCount = reader.countOf('metadata entries', reader.uint64(), 13);
  return { version, tensorCount, entryCount };
}

/** The letters at the beginning are the same in both byte orders; the number behind them tells. */
function wrongVersion(version: number): ServeError {
  const words =
    version > 0 && version % 2 ** 24 === 0
      ? 'This GGUF file is big-endian, which is not supported. Take one for little-endian machines.'
      : `This GGUF file has version ${version}; versions 2 and 3 can be read.`;
  return new ServeError('invalid_request', words);
}

function checkMagic(bytes: Uint8Array, fileSize: number): void {
  const magic = new TextDecoder('latin1').decode(bytes.subarray(0, 4));
  if (magic === 'GGUF') return;
  if (fileSize === 0) throw new ServeError('invalid_request', 'This file is empty. Download it again.');
  throw new ServeError(
    'invalid_request',
    'This is no GGUF file: it does not begin with the letters GGUF. Give a model in GGUF format.',
  );
}

function readValue(reader: GgufReader, type: number): JsonValue {
  if (type === stringType) return reader.string();
  return type === arrayType ? readArray(reader) : reader.scalar(type);
}

function readArray(reader: GgufReader): JsonValue {
  const type = reader.uint32();
  const each = leastBytes(type);
  if (each === undefined) throw damaged(`it holds an array of the unknown type ${type}`);
  const length = reader.countOf('values in one array', reader.uint64(), each);
  if (length <= longestShownArray) return Array.from({ length }, () => readValue(reader, type));
  if (type !== stringType) reader.take(length * each);
  else reader.skipStrings(length);
  return { array: type === stringType ? 'string' : 'number', length };
}

function readTensors(reader: GgufReader, count: number, alignmentEntry: JsonValue | undefined) {
  const alignment = alignmentEntry ?? 32;
  if (typeof alignment !== 'number' || !Number.isInteger(Math.log2(alignment)) || alignment < 1) {
    throw damaged('its alignment is no power of two');
  }
  const ends: number[] = [];
  const names = new Set<string>();
  const tensors = Array.from({ length: count }, () => {
    const { tensor, end } = readTensor(reader);
    if (names.has(tensor.name)) throw damaged(`the tensor ${JSON.stringify(tensor.name)} comes twice`);
    names.add(tensor.name);
    ends.push(end);
    return tensor;
  });
  const dataStart = Math.ceil(reader.offset / alignment) * alignment;
  const needed = ends.reduce((most, end) => Math.max(most, dataStart + end), reader.offset);
  reader.countOf('bytes of weights', needed - reader.offset, 1);
  return { tensors, dataStart };
}

function readTensor(reader: GgufReader): { readonly tensor: GgufTensor; readonly end: number } {
  const name = reader.string();
  const dimensions = reader.uint32();
  if (dimensions > mostDimensions) throw damaged(`the tensor ${JSON.stringify(name)} has ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, () => reader.uint64());
  const type = reader.uint32();
  const offset = reader.uint64();
  const values = shape.reduce((product, length) => product * length, 1);
  const kind = tensorTypes[type];
  if (kind && values % kind.block !== 0) throw damaged(`the tensor ${JSON.stringify(name)} has an odd size`);
  const bytes = kind ? (values / kind.block) * kind.bytes : 0;
  const tensor = { name, type: kind?.name ?? `type ${type}`, typeNumber: type, shape, values, offset, bytes };
  return { tensor, end: offset + bytes };
}

async function openFile(path: string, what: string) {
  // Opening a pipe would wait for a writer.
  const isFile = await stat(path)
    .then((found) => found.isFile())
    .catch(() => false);
  const file = isFile ? await open(path, 'r').catch(() => undefined) : undefined;
  if (file) return file;
  const message = `The ${what} file ${path} cannot be opened. Check the path and its permissions.`;
  throw new ServeError('invalid_request', message, { param: path });
}
