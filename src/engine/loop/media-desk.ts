import type { Clock } from '../../contract/services.ts';
import { type RoomEntry, SharedRoom } from '../../contract/shared-room.ts';
import type { Encoding } from '../../media/encode.ts';
import type { Projector } from '../../media/projector.ts';
import type { JobMedium } from '../engine.ts';

/** What the desk asks of a loaded projector. */
interface MediaEncoder {
  begin(...medium: Parameters<Projector['begin']>): Pick<Encoding, 'done' | 'advance' | 'result' | 'free'>;
}

export interface MediaDeskOptions {
  readonly projector: MediaEncoder;
  readonly clock: Clock;
  /** Of rows that are kept for the next turn. */
  readonly cacheBytes: number;
  /** Longest piece while others wait, in milliseconds. */
  readonly pieceMs: number;
  /** Multiplications of the first piece, where nothing is known of their time. */
  readonly firstPiece?: number;
}

interface Begun {
  readonly key: string;
  readonly encoding: ReturnType<MediaEncoder['begin']>;
}

interface KeptRows extends RoomEntry {
  readonly rows: Float32Array;
}

const smoothing = 0.3;
/** 5 to 15 ms on two cores. */
const usualFirstPiece = 1e8;

/** Encodes tiles of images and pieces of sounds, one at a time and in pieces where others wait, and keeps their rows. */
export class MediaDesk {
  /** How many were encoded. */
  encoded = 0;
  readonly #options: MediaDeskOptions;
  /** The one that was used last at the end; sizes are bytes. */
  readonly #kept = new SharedRoom<KeptRows>();
  #begun: Begun | undefined;
  #done: { readonly key: string; readonly rows: Float32Array } | undefined;
  /** What a multiplication took lately, with all that belongs to it. */
  #msPerProduct: number | undefined;

  constructor(options: MediaDeskOptions) {
    this.#options = options;
  }

  /** Whether work on it has begun: it is done before another one. */
  hasBegun({ key }: JobMedium): boolean {
    return this.#begun?.key === key || this.#done?.key === key;
  }

  /** Its rows once they are there; else it computes the next piece: as much as fits the time while others wait, else all. */
  rowsOf(medium: JobMedium, othersWait: boolean): Float32Array | undefined {
    const known = this.#find(medium.key);
    if (known) return known;
    if (this.#begun?.key !== medium.key) {
      this.#begun?.encoding.free();
      this.#begun = { key: medium.key, encoding: this.#options.projector.begin(medium.tile) };
    }
    const { encoding } = this.#begun;
    this.#advance(encoding, othersWait ? this.#piece : Number.POSITIVE_INFINITY);
    if (!encoding.done) return undefined;
    const rows = encoding.result;
    encoding.free();
    this.#begun = undefined;
    this.encoded++;
    this.#done = { key: medium.key, rows };
    const kept = { owner: medium.owner, size: rows.byteLength, rows };
    this.#kept.keep(medium.key, kept, { size: this.#options.cacheBytes });
    return rows;
  }

  free(): void {
    this.#begun?.encoding.free();
  }

  #find(key: string): Float32Array | undefined {
    const kept = this.#kept.get(key);
    if (kept) this.#kept.put(key, kept);
    return kept?.rows ?? (this.#done?.key === key ? this.#done.rows : undefined);
  }

  #advance(encoding: Begun['encoding'], limit: number): void {
    const startedAt = this.#options.clock();
    const cost = encoding.advance(limit);
    if (cost === undefined || cost === 0) return;
    const ms = (this.#options.clock() - startedAt) / cost;
    this.#msPerProduct =
      this.#msPerProduct === undefined ? ms : this.#msPerProduct + (ms - this.#msPerProduct) * smoothing;
  }

  get #piece(): number {
    const { firstPiece = usualFirstPiece, pieceMs } = this.#options;
    return this.#msPerProduct === undefined ? firstPiece : pieceMs / this.#msPerProduct;
  }
}
