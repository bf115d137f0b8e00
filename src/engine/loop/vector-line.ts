import type { VectorTask } from './vector-task.ts';

/**
 * Those who wait for vectors. Batches are shared between owners (keys), not between requests: the next one goes to the
 * owner who had one longest ago, and inside an owner's line to whoever waits longest. So a key with 40 requests does not
 * hold up another's first, as with slots.
 */
export class VectorLine {
  readonly #lines = new Map<string, VectorTask[]>();
  /** When each owner had a turn last, a number that counts up; as many as there are keys. */
  readonly #served = new Map<string, number>();
  #turns = 0;

  add(task: VectorTask): void {
    const line = this.#lines.get(task.owner);
    if (line) line.push(task);
    else this.#lines.set(task.owner, [task]);
  }

  /** Out of the line; one that is not done is added again, after its owner's others. */
  take(): VectorTask | undefined {
    const lastTurn = (owner: string) => this.#served.get(owner) ?? -1;
    const [owner] = [...this.#lines.keys()].sort((one, other) => lastTurn(one) - lastTurn(other));
    if (owner === undefined) return undefined;
    this.#served.set(owner, this.#turns++);
    return this.#takeFrom(owner, 0);
  }

  /** Undefined: there is none of this number. */
  remove(id: number): VectorTask | undefined {
    for (const [owner, line] of this.#lines) {
      const at = line.findIndex((task) => task.id === id);
      if (at >= 0) return this.#takeFrom(owner, at);
    }
    return undefined;
  }

  /** All of them. */
  clear(): VectorTask[] {
    const all = [...this.#lines.values()].flat();
    this.#lines.clear();
    return all;
  }

  #takeFrom(owner: string, at: number): VectorTask | undefined {
    const line = this.#lines.get(owner);
    const [task] = line?.splice(at, 1) ?? [];
    if (line?.length === 0) this.#lines.delete(owner);
    return task;
  }
}
