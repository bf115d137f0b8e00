/** A short name for each state of a union's walk: what may follow is the same exactly where the name is. */
export class StateIds {
  readonly #ids = new Map<string, string>();

  /** `facts`: all that decides what may follow. */
  of(facts: string): string {
    const known = this.#ids.get(facts) ?? `${this.#ids.size}`;
    this.#ids.set(facts, known);
    return known;
  }
}
