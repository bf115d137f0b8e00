import type { JsonObject } from '../contract/json.ts';
import { isRefusal, type RenderTemplate } from './jinja.ts';
import type { TraitsOf } from './traits.ts';

export interface TwoEngines {
  /** Whose prompts are the right ones. */
  readonly reference: RenderTemplate;
  /** May be quicker with this template. */
  readonly other: RenderTemplate;
  readonly traitsOf: TraitsOf;
  /** Milliseconds, monotonic. */
  readonly clock: () => number;
}

/** As many prompts are made by both before the choice: JavaScript gets quicker with use. */
export const trials = 16;
/** Later, one prompt out of so many is made by both, for ever. */
export const everyNth = 64;
/** Of the last ones, the second best counts: single times mean little on a busy machine. */
const remembered = 5;
/** Looking at the traits has its price too. */
const worthwhile = 0.85;
const mostTraits = 4096;

/**
 * Renders by the quicker of two engines, as long as they agree. Conversations with a trait that no comparison has shown
 * are rendered by both; the reference's prompt is taken, and an equal one makes their traits trusted. A single different
 * prompt, and the other engine is not used for this template any more.
 */
export function quickerOf(engines: TwoEngines): RenderTemplate {
  const race = new Race(engines);
  return (variables) => race.render(variables);
}

class Race {
  readonly #engines: TwoEngines;
  readonly #trusted = new Set<string>();
  /** Traits of what the other engine could not render. */
  readonly #doubted = new Set<string>();
  #isOver = false;
  #compared = 0;
  #sinceCompared = 0;
  /** The other's time over the reference's, latest last. */
  #ratios: number[] = [];

  constructor(engines: TwoEngines) {
    this.#engines = engines;
  }

  render(variables: JsonObject): string {
    const { reference, traitsOf } = this.#engines;
    const isDue = this.#compared < trials || this.#sinceCompared >= everyNth;
    this.#sinceCompared += 1;
    if (this.#isOver || !(isDue || this.#isOtherQuicker())) return reference(variables);
    const traits = traitsOf(variables);
    if (!traits || traits.some((trait) => this.#doubted.has(trait))) return reference(variables);
    if (isDue || !traits.every((trait) => this.#trusted.has(trait))) return this.#compare(variables, traits);
    return this.#quick(variables);
  }

  #isOtherQuicker(): boolean {
    const sorted = this.#ratios.toSorted((left, right) => left - right);
    return (sorted[1] ?? 1) < worthwhile;
  }

  /** The reference is asked whenever the other engine fails: for the prompt, or for the words of the refusal. */
  #quick(variables: JsonObject): string {
    const { reference, other } = this.#engines;
    try {
      return other(variables);
    } catch (thrown) {
      if (!isRefusal(thrown)) this.#isOver = true;
      return reference(variables);
    }
  }

  #compare(variables: JsonObject, traits: readonly string[]): string {
    const { reference, other, clock } = this.#engines;
    const begun = clock();
    const prompt = reference(variables);
    const between = clock();
    let made: string;
    try {
      made = other(variables);
    } catch {
      this.#doubt(traits);
      return prompt;
    }
    this.#ratios = [...this.#ratios, (clock() - between) / (between - begun)].slice(-remembered);
    this.#compared += 1;
    this.#sinceCompared = 0;
    if (made === prompt) this.#trust(traits);
    else this.#isOver = true;
    return prompt;
  }

  #trust(traits: readonly string[]): void {
    if (this.#trusted.size > mostTraits) this.#trusted.clear();
    for (const trait of traits) this.#trusted.add(trait);
  }

  #doubt(traits: readonly string[]): void {
    const doubtful = traits.filter((trait) => !this.#trusted.has(trait));
    if (doubtful.length === 0 || this.#doubted.size > mostTraits) this.#isOver = true;
    for (const trait of doubtful) this.#doubted.add(trait);
  }
}
