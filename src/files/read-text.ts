import { closeSync, constants, openSync, readSync, type Stats, statSync } from 'node:fs';

/** Far more than any list of keys or template has. */
const mostBytes = 16 * 1024 * 1024;
/** For whoever writes into a pipe: `<(pass show keys)`. */
const usualPatienceMs = 5000;
const pauseMs = 20;

/**
 * Text of a file that a user named: UTF-8, or UTF-16 where the byte order mark tells it; marks are dropped. Pipes are read
 * to their end, which must come within five seconds. Throws an Error whose message continues the sentence `FILE ...`.
 */
export function readTextFile(path: string, patienceMs = usualPatienceMs): string {
  const found = orUnreadable(() => statSync(path));
  if (found.isDirectory()) throw new Error('is a folder. Give a file');
  // Without the flag, opening a pipe waits for a writer. Windows has neither.
  const file = orUnreadable(() => openSync(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)));
  try {
    return decode(readToEnd(file, found, patienceMs));
  } finally {
    closeSync(file);
  }
}

function readToEnd(file: number, found: Stats, patienceMs: number): Buffer {
  const pieces: Buffer[] = [];
  let bytes = 0;
  let waited = 0;
  for (;;) {
    const piece = readPiece(file);
    // A pipe looks ended until its writer is there.
    if (piece?.length === 0 && (bytes > 0 || !found.isFIFO())) return Buffer.concat(pieces);
    if (piece !== undefined && piece.length > 0) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > mostBytes) throw new Error(`is longer than ${mostBytes / 1024 / 1024} MB. Give a text file`);
      continue;
    }
    if (waited >= patienceMs) throw new Error(`did not end within ${patienceMs / 1000} seconds. Give a plain file`);
    waited += pauseMs;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, pauseMs);
  }
}

/** undefined: nothing has come yet. */
function readPiece(file: number): Buffer | undefined {
  const buffer = Buffer.alloc(64 * 1024);
  try {
    return buffer.subarray(0, readSync(file, buffer));
  } catch (error) {
    if (codeOf(error) === 'EAGAIN') return undefined;
    throw unreadable(error);
  }
}

function decode(bytes: Buffer): string {
  const [first, second] = bytes;
  const encoding =
    first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : 'utf-8';
  try {
    // The decoder drops the mark of its own encoding.
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    throw new Error('is no text in UTF-8. Save it as UTF-8', { cause: error });
  }
}

function orUnreadable<Result>(act: () => Result): Result {
  try {
    return act();
  } catch (error) {
    throw unreadable(error);
  }
}

function unreadable(error: unknown): Error {
  return new Error('cannot be read. Check the path and its permissions', { cause: error });
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
