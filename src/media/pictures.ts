import { createHash } from 'node:crypto';
import type { ProjectorFile } from '../contract/projector.ts';
import { type RoomEntry, SharedRoom, type Sharer } from '../contract/shared-room.ts';
import { untilAborted } from '../contract/signals.ts';
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

interface KeptPicture extends RoomEntry {
  readonly picture: Picture;
}

/** Reads images for one projector, each content once at a time, and keeps what was read. */
export class Pictures {
  readonly #options: PicturesOptions;
  readonly #identity: string;
  /** By scope and hash, the one that was used last at the end; sizes are bytes. */
  readonly #kept = new SharedRoom<KeptPicture>();
  readonly #reading = new Map<string, Promise<Picture>>();

  constructor(options: PicturesOptions) {
    this.#options = options;
    const { path: _, ...content } = options.projector;
    this.#identity = JSON.stringify([wayOfPreparing, content]);
  }

  /** What one scope has sent makes nothing quicker for another. ServeError invalid_request. */
  async read(file: Uint8Array, sharer: Sharer, signal: AbortSignal): Promise<ReadPicture> {
    const hash = createHash('sha256')
      .update(createHash('sha256').update(file).digest())
      .update(this.#identity)
      .digest();
    const key = `${sharer.scope} ${hash.toString('hex')}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.put(key, known);
      return { picture: known.picture, hash };
    }
    return { picture: await this.#readOnce(key, file, sharer, signal), hash };
  }

  async #readOnce(key: string, file: Uint8Array, { owner }: Sharer, signal: AbortSignal): Promise<Picture> {
    signal.throwIfAborted();
    let reading = this.#reading.get(key);
    if (!reading) {
      // Others may wait for it too: it goes on when this one leaves.
      reading = this.#options.reader.read(file, this.#options.projector).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
      reading.then(
        (picture) =>
          this.#kept.keep(key, { owner, size: sizeOf(picture), picture }, { size: this.#options.cacheBytes }),
        () => undefined,
      );
    }
    return untilAborted(reading, signal);
  }
}

function sizeOf({ parts }: Picture): number {
  return parts.reduce((sum, part) => sum + (part.type === 'rows' ? part.tile.bytes.length : part.text.length), 0);
}
