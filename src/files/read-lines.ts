import type { FileHandle } from 'node:fs/promises';

export const lineBreak = 0x0a;

/** What is taken at once: some milliseconds of work for the thread that also sends the tokens of others. */
const pieceBytes = 512 * 1024;

/**
 * The whole lines of a file between two places, each with where it begins, until one is answered with false. Gives the
 * place after the last line that was taken; what has no line break yet is left.
 */
export async function readLines(
  handle: FileHandle,
  from: number,
  to: number,
  take: (line: string, at: number) => boolean,
): Promise<number> {
  let taken = from;
  let read = from;
  let rest: Buffer = Buffer.alloc(0);
  while (read < to) {
    const piece = Buffer.allocUnsafe(Math.min(pieceBytes, to - read));
    const { bytesRead } = await handle.read(piece, 0, piece.length, read);
    if (bytesRead === 0) break;
    read += bytesRead;
    const bytes =
      rest.length === 0 ? piece.subarray(0, bytesRead) : Buffer.concat([rest, piece.subarray(0, bytesRead)]);
    let begin = 0;
    for (let end = bytes.indexOf(lineBreak); end !== -1; end = bytes.indexOf(lineBreak, begin)) {
      const at = taken;
      taken += end + 1 - begin;
      const goesOn = take(bytes.toString('utf8', begin, end), at);
      begin = end + 1;
      if (!goesOn) return taken;
    }
    rest = bytes.subarray(begin);
  }
  return taken;
}
