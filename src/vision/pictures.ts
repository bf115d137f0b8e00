import { createHash } from 'node:crypto';
import type { ProjectorFile } from '../contract/projector.ts';
import { untilAborted } from '../contract/until-aborted.ts';
import type { Picture } from './eye.ts';
import type { ImageReader } from './process/image-reader.ts';

export interface PicturesOptions {
  readonly reader: Pick<ImageReader, 'read'>;
  readonly projector: ProjectorFile;
  /** Of pictures that are kept for the next turn. */
  readonly cacheBytes: number;
}

export interface ReadPicture {
  readonly picture: Picture;
  /** Of the file, the projector and how it prepares images: equal only where the rows are equal. SHA-256. */
  readonly hash: Uint8Array;
}

/** To be raised when images are prepared in another way: rows that were kept in files are of no use then. */
const wayOfPreparing = 1;

/** Reads images for one projector, each content once at a time, and keeps what was read. */
export class Pictures {
  readonly #options: PicturesOptions;
  readonly #identity: string;
  /** By scope and hash, the one that was used last at the end. */
  readonly #kept = new Map<string, Picture>();
  readonly #reading = new Map<string, Promise<Picture>>();
  #bytes = 0;

  constructor(options: PicturesOptions) {
    this.#options = options;
    const { path: _, ...content } = options.projector;
    this.#identity = JSON.stringify([wayOfPreparing, content]);
  }

  /** What one scope has sent makes nothing quicker for another. ServeError invalid_request. */
  async read(file: Uint8Array, scope: string, signal: AbortSignal): Promise<ReadPicture> {
    const hash = createHash('sha256')
      .update(createHash('sha256').update(file).digest())
      .update(this.#identity)
      .digest();
    const key = `${scope} ${hash.toString('hex')}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.delete(key);
      this.#kept.set(key, known);
      return { picture: known, hash };
    }
    return { picture: await this.#readOnce(key, file, signal), hash };
  }

  async #readOnce(key: string, file: Uint8Array, signal: AbortSignal): Promise<Picture> {
    signal.throwIfAborted();
    let reading = this.#reading.get(key);
    if (!reading) {
      // Others may wait for it too: it goes on when this one leaves.
      reading = this.#options.reader.read(file, this.#options.projector).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
      reading.then(
        (picture) => this.#keep(key, picture),
        () => undefined,
      );
    }
    return untilAborted(reading, signal);
  }

  #keep(key: string, picture: Picture): void {
    const { cacheBytes } = this.#options;
    if (sizeOf(picture) > cacheBytes) return;
    this.#kept.set(key, picture);
    this.#bytes += sizeOf(picture);
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= cacheBytes) break;
      this.#kept.delete(oldest);
      this.#bytes -= sizeOf(old);
    }
  }
}

function sizeOf({ parts }: Picture): number {
  return parts.reduce((sum, part) => sum + (part.type === 'rows' ? part.tile.bytes.length : part.text.length), 0);
}
