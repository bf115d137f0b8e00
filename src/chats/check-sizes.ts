import type { ChatEntry, ChatLimits } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import { entryLine } from './log-lines.ts';

/** Bytes that the entries take. Throws `payload_too_large` for one that is larger than entries may be. */
export function checkSizes(entries: readonly ChatEntry[], { entryBytes }: ChatLimits): number {
  let bytes = 0;
  for (const [index, entry] of entries.entries()) {
    const size = Buffer.byteLength(entryLine(entry));
    bytes += size;
    if (size > entryBytes)
      throw new ServeError(
        'payload_too_large',
        `\`entries[${index}]\` has ${size} bytes, but at most ${entryBytes} are kept. Keep what is large as a file: POST /api/chats/files/{sha256}.`,
        { param: `entries[${index}]` },
      );
  }
  return bytes;
}
