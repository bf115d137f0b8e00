import { ServeError } from '../../contract/errors.ts';
import { type FlatRule, flatten } from './flat-rules.ts';
import type { Grammar } from './gbnf.ts';
import { GrammarWalker } from './grammar-walker.ts';
import { recognizes } from './recognize.ts';

/**
 * So many readings of a client's grammar may be open. llama.cpp walks each of them in the step that all requests share: a
 * look at a vocabulary of 152k tokens takes 10 to 25 times as long with 100 as with one, and never ends where they double
 * with every character.
 */
export const maxReadings = 100;
/**
 * Characters that are looked ahead, and how many ways may lead through them: what doubles with each is found before
 * llama.cpp walks into it. Few tokens are longer than `near`, so few that more ways can be borne; lines of dashes and the
 * like are. Where a grammar branches so much that the look does not come to an end, `nearest` is all that is known.
 */
const near = { characters: 8, most: maxReadings };
const far = { characters: 40, most: 1_000 };
const nearest = { characters: 4, most: 10 };

/** Throws ServeError invalid_request for what would be beyond the bound from the beginning. */
export function refuseTooManyReadings(grammar: Grammar): void {
  if (!new ReadingsCount(grammar).areTooMany) return;
  throw new ServeError(
    'invalid_request',
    `The grammar can be read in more than ${maxReadings} ways at once within its first characters; give its alternatives different beginnings.`,
    { param: 'grammar' },
  );
}

/** Counts the open readings of a client's grammar while it is followed by llama.cpp, one token behind it. */
export class ReadingsCount {
  #rules: readonly FlatRule[];
  #machine: GrammarWalker;
  #text: string[] = [];

  constructor(grammar: Grammar) {
    this.#rules = flatten(grammar, 'grammar', { shared: false });
    this.#machine = new GrammarWalker(this.#rules);
  }

  /** Are there too many, or may there be within a token? */
  get areTooMany(): boolean {
    const machine = this.#machine;
    if (machine.openReadings > maxReadings) return true;
    return machine.takeNewPlaces().some((place) => {
      const ways = machine.waysFrom(place, near.characters);
      if (ways === undefined)
        return (machine.waysFrom(place, nearest.characters) ?? Number.POSITIVE_INFINITY) > nearest.most;
      return ways > near.most || (machine.waysFrom(place, far.characters) ?? 0) > far.most;
    });
  }

  /** `text` is what the token added, which may be nothing while a character is not complete; it is kept in any case. */
  see(text: string, token: number, isCounted: boolean): void {
    this.#text.push(text);
    if (isCounted) this.#machine.accept(text, token);
  }

  /** Does the whole text fit? undefined: that would be too much work to tell. */
  fits(): boolean | undefined {
    return recognizes(this.#rules, this.#text.join(''));
  }
}
