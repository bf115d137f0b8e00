import { createHash } from 'node:crypto';
import type { ProjectorFile } from '../contract/projector.ts';
import { type RoomEntry, SharedRoom, type Sharer } from '../contract/shared-room.ts';
import { untilAborted } from '../contract/signals.ts';
import type { Prepared } from './prepared.ts';
import type { MediaFile, MediaReader } from './process/media-reader.ts';
import type { Tile } from './projector.ts';
import { isSpectrogram } from './sound/spectrogram.ts';

export interface PreparedMediaOptions {
  readonly reader: Pick<MediaReader, 'read'>;
  readonly projector: ProjectorFile;
  /** Of what is kept for the next turn. */
  readonly cacheBytes: number;
}

export interface ReadMedium {
  readonly prepared: Prepared;
  /** Of the file, the projector and how it prepares what it is given: equal only where the rows are equal. SHA-256. */
  readonly hash: Uint8Array;
}

/** To be raised when images or sounds are prepared in another way: rows that were kept in files are of no use then. */
const wayOfPreparing = 1;

type GivenFile = Pick<MediaFile, 'type' | 'file'>;

interface KeptMedium extends RoomEntry {
  readonly prepared: Prepared;
}

/** Reads images and sounds for one projector, each content once at a time, and keeps what was read. */
export class PreparedMedia {
  readonly #options: PreparedMediaOptions;
  readonly #identity: string;
  /** By scope and hash, the one that was used last at the end; sizes are bytes. */
  readonly #kept = new SharedRoom<KeptMedium>();
  readonly #reading = new Map<string, Promise<Prepared>>();

  constructor(options: PreparedMediaOptions) {
    this.#options = options;
    const { path: _, ...content } = options.projector;
    this.#identity = JSON.stringify([wayOfPreparing, content]);
  }

  /** What one scope has sent makes nothing quicker for another. ServeError invalid_request. */
  async read({ type, file }: GivenFile, sharer: Sharer, signal: AbortSignal): Promise<ReadMedium> {
    const hash = createHash('sha256')
      .update(createHash('sha256').update(file).digest())
      .update(type === 'image' ? this.#identity : `${type} ${this.#identity}`)
      .digest();
    const key = `${sharer.scope} ${hash.toString('hex')}`;
    const known = this.#kept.get(key);
    if (known) {
      this.#kept.put(key, known);
      return { prepared: known.prepared, hash };
    }
    return { prepared: await this.#readOnce(key, { type, file }, sharer, signal), hash };
  }

  async #readOnce(key: string, given: GivenFile, { owner }: Sharer, signal: AbortSignal): Promise<Prepared> {
    signal.throwIfAborted();
    let reading = this.#reading.get(key);
    if (!reading) {
      // Others may wait for it too: it goes on when this one leaves.
      const { reader, projector } = this.#options;
      reading = reader.read({ ...given, projector }).finally(() => this.#reading.delete(key));
      this.#reading.set(key, reading);
      reading.then(
        (prepared) =>
          this.#kept.keep(key, { owner, size: sizeOf(prepared), prepared }, { size: this.#options.cacheBytes }),
        () => undefined,
      );
    }
    return untilAborted(reading, signal);
  }
}

function sizeOf({ parts }: Prepared): number {
  return parts.reduce((sum, part) => sum + (part.type === 'rows' ? bytesOf(part.tile) : part.text.length), 0);
}

function bytesOf(tile: Tile): number {
  return isSpectrogram(tile) ? tile.values.byteLength : tile.bytes.length;
}
