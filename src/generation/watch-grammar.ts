import type { FinishEvent } from '../contract/events.ts';
import type { CountedGrammars } from '../grammar/constraint.ts';
import { maxReadings, ReadingsCount } from '../grammar/gbnf/readings-count.ts';
import type { Steering } from './text-pipeline.ts';

/** Keeps a client's grammar from holding up the others. */
export interface GrammarWatch {
  readonly steering: Steering;
  /** What became of the grammar, where it was lifted. */
  warnings(finish: FinishEvent): readonly string[];
}

/**
 * Counts the open readings of a client's grammar beside the engine. Past the bound the engine is not asked about the
 * grammar any more: the answer goes on free, and is held against the grammar when it is complete.
 */
export function watchGrammar(steering: Steering, grammars: CountedGrammars): GrammarWatch {
  let count = new ReadingsCount(grammars.whole);
  let tokens = 0;
  /** Tokens after which it was lifted. */
  let lifted: number | undefined;
  const lift = () => {
    lifted = tokens;
    return { type: 'grammar', grammar: 'off' } as const;
  };
  return {
    steering: {
      afterToken(token, text, state) {
        const directive = steering.afterToken(token, text, state);
        tokens++;
        if (directive.type === 'grammar') {
          // Only the end of a thought switches grammars, to the one that holds after it.
          count = new ReadingsCount(grammars.afterReasoning ?? grammars.whole);
          lifted = undefined;
          return count.areTooMany ? lift() : directive;
        }
        // What is put into the model's mouth the grammar does not hear.
        if (token.forced) return directive;
        count.see(text, token.token, lifted === undefined);
        return directive.type === 'continue' && lifted === undefined && count.areTooMany ? lift() : directive;
      },
    },
    warnings(finish) {
      if (lifted === undefined || finish.cancelled) return [];
      const isCut = finish.reason === 'length' || finish.stopString !== undefined;
      const fits = isCut ? undefined : count.fits();
      const verdict = fits === undefined ? '' : fits ? ' It fits all the same.' : ' It does not fit.';
      return [
        `The grammar can be read in more than ${maxReadings} ways at once behind token ${lifted}: from there on the answer was not held to it.${verdict}`,
      ];
    },
  };
}
