import { join } from 'node:path';
import type { ChatLimits } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import { fileStamps } from './file-stamps.ts';
import { isSummaryFile } from './summary-file.ts';

/** How long a sum is believed; what this process writes is added at once. */
const believedMs = 60_000;
/** What a small file takes on most disks: many of them are no way round the limit. */
const blockBytes = 4096;

/** How much of its share an owner has used. Other processes may write too, so the limits hold to within a minute. */
export class Usage {
  readonly #folder: string;
  readonly #limits: ChatLimits;
  readonly #now: () => number;
  #bytes = 0;
  #chats = 0;
  #addedUp = Number.NEGATIVE_INFINITY;
  #adding: Promise<void> | undefined;
  /** Since the last adding up began. */
  #taken = { bytes: 0, chats: 0 };
  #isForgotten = false;

  constructor(folder: string, limits: ChatLimits, now: () => number) {
    this.#folder = folder;
    this.#limits = limits;
    this.#now = now;
  }

  /** Adds up again where the sum is old; once for all who ask meanwhile, or each would undo what another has taken. */
  async refresh(): Promise<void> {
    if (this.#now() - this.#addedUp < believedMs) return;
    this.#adding ??= this.#addUp().finally(() => {
      this.#adding = undefined;
    });
    await this.#adding;
  }

  async #addUp(): Promise<void> {
    this.#taken = { bytes: 0, chats: 0 };
    this.#isForgotten = false;
    const [live, bin, files] = [await this.#sum(''), await this.#sum('bin'), await this.#sum('files')];
    // What was taken meanwhile may not be written yet.
    this.#bytes = live.bytes + bin.bytes + files.bytes + this.#taken.bytes;
    this.#chats = live.count + bin.count + this.#taken.chats;
    if (!this.#isForgotten) this.#addedUp = this.#now();
  }

  /** The sum is wrong: something has gone. */
  forget(): void {
    this.#addedUp = Number.NEGATIVE_INFINITY;
    this.#isForgotten = true;
  }

  /** Before something is written. Throws `storage_full`. */
  takeBytes(bytes: number): void {
    if (this.#bytes + bytes > this.#limits.ownerBytes)
      throw new ServeError(
        'storage_full',
        `Chats and files take ${inMegabytes(this.#bytes)} of ${inMegabytes(this.#limits.ownerBytes)}: this does not fit any more. Delete some for ever, those in the bin too.`,
      );
    this.#bytes += bytes;
    this.#taken.bytes += bytes;
  }

  takeFile(bytes: number): void {
    this.takeBytes(Math.max(bytes, blockBytes));
  }

  /** One more. Throws `storage_full`. */
  takeChat(): void {
    if (this.#chats >= this.#limits.chats)
      throw new ServeError(
        'storage_full',
        `There are ${this.#chats} chats, more than which are not kept. Delete some for ever, those in the bin too.`,
      );
    this.#chats++;
    this.#taken.chats++;
  }

  async #sum(inner: string): Promise<{ bytes: number; count: number }> {
    let bytes = 0;
    let count = 0;
    for await (const { name, stamp } of fileStamps(join(this.#folder, inner))) {
      if (isSummaryFile(name)) continue;
      bytes += Math.max(stamp.size, blockBytes);
      count++;
    }
    return { bytes, count };
  }
}

function inMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1024 / 1024)} MB`;
}
