import { type FreeMemory, mostOf } from './machine-memory.ts';

/** What each loaded model took from the machine, and thus what its end will give back. By the model's path. */
export class HeldMemory {
  readonly #freeMemory: () => Promise<FreeMemory>;
  readonly #held = new Map<string, FreeMemory>();
  readonly #freeAfterLoad = new Map<string, number>();

  /** @param freeMemory what can be had at this moment without unloading anything */
  constructor(freeMemory: () => Promise<FreeMemory>) {
    this.#freeMemory = freeMemory;
  }

  /** Bytes that can be had now. */
  async free(): Promise<number> {
    return mostOf(await this.#freeMemory());
  }

  /** Bytes that were free when this model was loaded. */
  freeAfterLoad(path: string): number {
    return this.#freeAfterLoad.get(path) ?? 0;
  }

  /** Loads, and notes what that took. @param most bytes that it can have taken at all */
  async measure<Loaded>(path: string, load: () => Promise<Loaded>, most: (loaded: Loaded) => number): Promise<Loaded> {
    const before = await this.#freeMemory();
    const loaded = await load();
    const after = await this.#freeMemory();
    this.#freeAfterLoad.set(path, mostOf(after));
    this.#held.set(path, taken(before, after, most(loaded)));
    return loaded;
  }

  /** Bytes that could be had without certain models; for each list of their paths. */
  async freeWithout(lists: readonly (readonly string[])[]): Promise<number[]> {
    const free = await this.#freeMemory();
    return lists.map((paths) => mostOf(paths.reduce((sum, path) => both(sum, this.#held.get(path)), free)));
  }
}

/** No more than the model can have taken: other programs come and go meanwhile. */
function taken(before: FreeMemory, after: FreeMemory, most: number): FreeMemory {
  const limited = (bytes: number) => Math.min(most, Math.max(0, bytes));
  // Before the first model the GPUs were not looked at.
  const device =
    after.device === undefined ? undefined : limited((before.device ?? Number.POSITIVE_INFINITY) - after.device);
  return { ram: limited(before.ram - after.ram), device };
}

function both(a: FreeMemory, b: FreeMemory | undefined): FreeMemory {
  if (!b) return a;
  const device = a.device === undefined && b.device === undefined ? undefined : (a.device ?? 0) + (b.device ?? 0);
  return { ram: a.ram + b.ram, device };
}
