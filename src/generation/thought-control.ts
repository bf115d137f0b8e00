import type { ThoughtEnding } from '../contract/thoughts.ts';

/** One answer's thought, as others can end it: between the call that wants it and the steering that does it. */
export class ThoughtControl {
  readonly isEndable: boolean;
  /** Where the answer is being written. */
  slot: number | undefined;
  #isThinking = false;
  #isWanted = false;

  constructor(isEndable: boolean) {
    this.isEndable = isEndable;
  }

  /** The thought is to end with the token that comes next. */
  end(): Exclude<ThoughtEnding, 'no-run'> {
    if (!this.isEndable) return 'not-asked';
    if (!this.#isThinking) return 'not-thinking';
    this.#isWanted = true;
    return 'ended';
  }

  /** Told after every token; whether the thought is to end here. */
  endsAt(isThinking: boolean): boolean {
    this.#isThinking = isThinking;
    const ends = isThinking && this.#isWanted;
    if (!isThinking || ends) this.#isWanted = false;
    if (ends) this.#isThinking = false;
    return ends;
  }
}
