import { type GgufHeader, growHeader } from './gguf.ts';
import { askHub, downloadUrl, type HubAccess, type HubFile } from './hub.ts';
import type { HubName } from './hub-name.ts';

/**
 * The header of a file on the hub, by range requests: a megabyte first, more only while the header goes on. A hub that
 * knows no ranges is read from the beginning and left. Throws ServeError as readGguf and askHub do.
 */
export async function readRemoteHeader(file: HubFile, name: HubName, access: HubAccess): Promise<GgufHeader> {
  const url = downloadUrl(file, name, access.endpoint);
  let known = new Uint8Array(0);
  return growHeader(file.bytes, async (length) => {
    const range = { range: `bytes=${known.byteLength}-${length - 1}` };
    const response = await askHub(url, name, access, range);
    if (response.status !== 206) known = new Uint8Array(0);
    known = await readUntil(response, known, length);
    return known;
  });
}

/** `start` and what comes behind it, up to `length` bytes; fewer where the answer ends before. */
async function readUntil(response: Response, start: Uint8Array, length: number) {
  const bytes = new Uint8Array(length);
  bytes.set(start);
  let filled = start.byteLength;
  const reader = response.body?.getReader();
  while (reader && filled < length) {
    const { done, value } = await reader.read();
    if (done) break;
    const piece = value.subarray(0, length - filled);
    bytes.set(piece, filled);
    filled += piece.byteLength;
  }
  await reader?.cancel();
  return bytes.subarray(0, filled);
}
