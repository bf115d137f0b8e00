import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeptFile } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import { makeFolder } from '../files/make-folder.ts';
import { falseWhenMissing, undefinedWhenMissing } from '../files/missing.ts';
import { orDiskFull } from '../files/write-whole.ts';
import { namesIn } from './file-stamps.ts';
import { isSha256, noSuchFile } from './names.ts';

export interface KeptFilesOptions {
  readonly fileBytes: number;
  /** Throws where there is no room for so much more. */
  readonly reserve: (bytes: number) => Promise<void>;
  readonly now: () => number;
  /** Random hex. */
  readonly newId: () => string;
}

const unfinished = '.part';
/** Files that no chat refers to may belong to a message that is still being written. */
const unusedMs = 24 * 60 * 60 * 1000;
const pieceBytes = 256 * 1024;

/** What messages refer to, by hash: the same file twice lies there once. */
export class KeptFiles {
  readonly #folder: string;
  readonly #options: KeptFilesOptions;

  constructor(folder: string, options: KeptFilesOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  /** Takes the bytes while they come, so that many uploads take no memory. */
  async keep(hash: string, bytes: AsyncIterable<Uint8Array>): Promise<{ readonly bytes: number }> {
    if (!isSha256(hash)) throw noSuchFile(hash);
    await makeFolder(this.#folder, 0o700);
    const beside = join(this.#folder, `${this.#options.newId()}${unfinished}`);
    try {
      const size = await this.#write(beside, hash, bytes);
      if (!(await this.touch(hash))) {
        await this.#options.reserve(size);
        await rename(beside, this.#pathOf(hash));
      }
      return { bytes: size };
    } catch (error) {
      throw orDiskFull(error);
    } finally {
      await rm(beside, { force: true });
    }
  }

  async find(hash: string): Promise<KeptFile | undefined> {
    if (!isSha256(hash)) return undefined;
    const path = this.#pathOf(hash);
    const found = await stat(path).catch(undefinedWhenMissing);
    return found && { bytes: found.size, read: () => readPieces(path, hash) };
  }

  /** It is in use again. False: it is not there. */
  async touch(hash: string): Promise<boolean> {
    const seconds = this.#options.now() / 1000;
    return utimes(this.#pathOf(hash), seconds, seconds).then(() => true, falseWhenMissing);
  }

  /** Lets go of what no chat refers to, a day after it was last sent. */
  async removeUnused(used: ReadonlySet<string>): Promise<void> {
    for (const name of await namesIn(this.#folder)) {
      if (used.has(name)) continue;
      const path = join(this.#folder, name);
      const found = await stat(path).catch(undefinedWhenMissing);
      if (found && this.#options.now() - found.mtimeMs > unusedMs) await rm(path, { force: true });
    }
  }

  async #write(path: string, hash: string, bytes: AsyncIterable<Uint8Array>): Promise<number> {
    const { fileBytes } = this.#options;
    const digest = createHash('sha256');
    const handle = await open(path, 'wx', 0o600);
    let size = 0;
    try {
      for await (const piece of bytes) {
        size += piece.byteLength;
        if (size > fileBytes)
          throw new ServeError(
            'payload_too_large',
            `The file is larger than ${fileBytes / 1024 / 1024} MB, more than which is not kept.`,
          );
        digest.update(piece);
        await handle.writeFile(piece);
      }
      await handle.datasync();
    } finally {
      await handle.close();
    }
    if (digest.digest('hex') !== hash)
      throw new ServeError(
        'invalid_request',
        'The bytes have another SHA-256 than the address says: something was lost on the way. Send the file again.',
        { param: 'sha256' },
      );
    return size;
  }

  #pathOf(hash: string): string {
    if (!isSha256(hash)) throw noSuchFile(hash);
    return join(this.#folder, hash);
  }
}

async function* readPieces(path: string, hash: string): AsyncGenerator<Uint8Array> {
  const handle: FileHandle | undefined = await open(path, 'r').catch(undefinedWhenMissing);
  if (!handle) throw noSuchFile(hash);
  try {
    for (;;) {
      const { buffer, bytesRead } = await handle.read(Buffer.allocUnsafe(pieceBytes), 0, pieceBytes);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await handle.close();
  }
}
