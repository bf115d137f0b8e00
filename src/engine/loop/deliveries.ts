import type { LoopRun } from './run.ts';

/** Which runs have been given tokens that their requests have not answered yet, by the step message that told them. */
export class Deliveries {
  readonly #waiting = new Map<number, readonly LoopRun[]>();
  readonly #next = new Set<LoopRun>();

  /** Its tokens go with the next message. */
  add(run: LoopRun): void {
    this.#next.add(run);
  }

  sent(step: number): void {
    this.#waiting.set(step, [...this.#next]);
    for (const run of this.#next) run.delivered();
    this.#next.clear();
  }

  /** Whose answers to the step are here; those held answer later, each in a message of its own. */
  answered(step: number, held: readonly number[]): readonly LoopRun[] {
    const runs = this.#waiting.get(step) ?? [];
    this.#keep(
      step,
      runs.filter(({ id }) => held.includes(id)),
    );
    return runs.filter(({ id }) => !held.includes(id));
  }

  /** The run that was held, unless it has answered before. */
  answeredLate(step: number, id: number): LoopRun | undefined {
    const runs = this.#waiting.get(step) ?? [];
    this.#keep(
      step,
      runs.filter((run) => run.id !== id),
    );
    return runs.find((run) => run.id === id);
  }

  #keep(step: number, runs: readonly LoopRun[]): void {
    if (runs.length > 0) this.#waiting.set(step, runs);
    else this.#waiting.delete(step);
  }
}
