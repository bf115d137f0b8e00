import type { FileHandle } from 'node:fs/promises';
import { ServeError } from '../contract/errors.ts';

/** In one write, and onto the disk. `storage_full` where that is. */
export async function writeWhole(handle: FileHandle, text: string | Uint8Array): Promise<void> {
  const bytes = typeof text === 'string' ? Buffer.from(text) : text;
  try {
    const { bytesWritten } = await handle.write(bytes);
    if (bytesWritten < bytes.length) throw diskFull();
    await handle.datasync();
  } catch (error) {
    throw orDiskFull(error);
  }
}

export function orDiskFull(error: unknown): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOSPC' || code === 'EDQUOT' ? diskFull(error) : error;
}

function diskFull(cause?: unknown): ServeError {
  return new ServeError(
    'storage_full',
    'The disk of the server is full: this could not be kept. What was kept before is safe.',
    {},
    { cause },
  );
}
