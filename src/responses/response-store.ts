import type { Caller } from '../contract/caller.ts';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import type { ResponseStore, StoredResponse } from '../contract/services.ts';
import { type RoomEntry, SharedRoom } from '../contract/shared-room.ts';
import type { Shelf } from './shelf.ts';

export interface StoreLimits {
  readonly maxCount: number;
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

const month = 30 * 24 * 60 * 60 * 1000;

export const folderLimits: StoreLimits = { maxCount: 10_000, maxBytes: 1024 ** 3, maxAgeMs: month };
export const memoryLimits: StoreLimits = { maxCount: 10_000, maxBytes: 256 * 1024 ** 2, maxAgeMs: month };

export interface StoreOptions {
  readonly limits: StoreLimits;
  /** Unix milliseconds. */
  readonly now: () => number;
}

/** Opens what lies on the shelf from before. */
export async function openResponseStore(shelf: Shelf, options: StoreOptions): Promise<ResponseStore> {
  const known = [...(await shelf.list())].sort((left, right) => left.savedAt - right.savedAt);
  const store = new ShelfStore(shelf, options);
  for (const { name, bytes, savedAt, head } of known)
    store.remember(name, { owner: ownerIn(head), size: bytes, savedAt });
  await store.evict();
  return store;
}

interface Known extends RoomEntry {
  /** Unix milliseconds. */
  readonly savedAt: number;
}

/** Ids become names of files: whatever else a client asks for is not there. */
const validId = /^resp_[A-Za-z0-9-]{1,200}$/;

class ShelfStore implements ResponseStore {
  readonly #shelf: Shelf;
  readonly #limits: StoreLimits;
  readonly #now: () => number;
  readonly #known = new SharedRoom<Known>();
  /** On their way to the shelf. */
  readonly #writing = new Map<string, string>();
  /** One change of the shelf at a time, in the order they were asked for. */
  #queue: Promise<void> = Promise.resolve();

  constructor(shelf: Shelf, { limits, now }: StoreOptions) {
    this.#shelf = shelf;
    this.#limits = limits;
    this.#now = now;
  }

  remember(id: string, known: Known): void {
    this.#known.put(id, known);
  }

  async save(entry: StoredResponse): Promise<void> {
    if (!validId.test(entry.id)) throw new RangeError(`not an id of a response: ${entry.id}`);
    const text = textOf(entry);
    this.remember(entry.id, { owner: entry.owner, size: Buffer.byteLength(text), savedAt: this.#now() });
    this.#writing.set(entry.id, text);
    const written = this.#inTurn(async () => {
      // Removed or replaced meanwhile: the newest text is the only one to write.
      if (this.#writing.get(entry.id) !== text) return;
      await this.#shelf.write(entry.id, text);
      if (this.#writing.get(entry.id) === text) this.#writing.delete(entry.id);
    });
    await Promise.all([written, this.evict()]);
  }

  async find(id: string, caller: Pick<Caller, 'sees'>): Promise<StoredResponse | undefined> {
    const known = this.#known.get(id);
    if (known === undefined || this.#isOld(known)) return undefined;
    const text = this.#writing.get(id) ?? (await this.#shelf.read(id));
    const entry = text === undefined ? undefined : readEntry(text);
    return entry && caller.sees(entry.owner) ? entry : undefined;
  }

  async remove(id: string, caller: Pick<Caller, 'sees'>): Promise<boolean> {
    const meant = this.#known.get(id);
    if ((await this.find(id, caller)) === undefined) return false;
    // Meanwhile it may have been removed, or another may lie in its place, which stays.
    const known = this.#known.get(id);
    if (known === meant) await this.#drop(id);
    return known !== undefined;
  }

  async close(): Promise<void> {
    for (let last: Promise<void> | undefined; last !== this.#queue; ) {
      last = this.#queue;
      await last;
    }
  }

  /**
   * Lets go of what is too old, and of the oldest of whoever has the most until the limits hold. The newest always stays,
   * however large it is.
   */
  async evict(): Promise<void> {
    const drops: Promise<void>[] = [];
    for (const [id, known] of this.#known) {
      if (!this.#isOld(known)) break;
      drops.push(this.#drop(id));
    }
    const limits = { count: this.#limits.maxCount, size: this.#limits.maxBytes };
    for (let id = this.#known.excess(limits); id !== undefined; id = this.#known.excess(limits)) {
      drops.push(this.#drop(id));
    }
    await Promise.all(drops);
  }

  #drop(id: string): Promise<void> {
    this.#known.remove(id);
    this.#writing.delete(id);
    return this.#inTurn(async () => {
      if (!this.#known.get(id)) await this.#shelf.remove(id);
    });
  }

  #isOld({ savedAt }: Known): boolean {
    return this.#now() - savedAt > this.#limits.maxAgeMs;
  }

  #inTurn(change: () => Promise<void>): Promise<void> {
    const done = this.#queue.then(change);
    this.#queue = done.catch(() => undefined);
    return done;
  }
}

/** Begins with what `ownerIn` reads. */
function textOf({ id, owner, ...rest }: StoredResponse): string {
  return JSON.stringify({ id, owner, ...rest });
}

/** Whose a kept text is, by its beginning. */
function ownerIn(head: string): string {
  return /^\{"id":"[\w-]*","owner":"([^"\\]*)"/.exec(head)?.[1] ?? '';
}

/** Undefined for a file that somebody else wrote or broke: it is as good as not there. */
function readEntry(text: string): StoredResponse | undefined {
  const value = parsed(text);
  if (!isJsonObject(value)) return undefined;
  const { id, owner = '', response, input, events } = value;
  if (typeof id !== 'string' || typeof owner !== 'string' || !isJsonObject(response) || !isObjectList(input))
    return undefined;
  return { id, owner, response, input, ...(isObjectList(events) && { events }) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObjectList(value: JsonValue | undefined): value is StoredResponse['input'] {
  return Array.isArray(value) && value.every(isJsonObject);
}
