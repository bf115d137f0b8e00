import { ServeError } from '../../contract/errors.ts';
import type { Grammar } from './gbnf.ts';
import { GrammarWalker } from './grammar-walker.ts';
import { maxReadings } from './readings-count.ts';

/** Readings that are followed over a character, in sum: some tenths of a second. */
const maxSteps = 100_000;
/** Of each character of the text beside: once through a long one is what it takes. */
const stepsOfCharacter = 4;

/**
 * What may follow a text whose end has begun one of the grammar's: from the first place on that it can have begun at.
 * undefined: there is none. Throws ServeError invalid_request where that takes too long to tell, or leaves too many
 * readings open: clients write both the grammar and the text.
 */
export function restBehind(grammar: Grammar, text: string): Grammar | undefined {
  const machine = new GrammarWalker(grammar);
  const chars = [...text];
  let left = maxSteps + stepsOfCharacter * chars.length;
  const isBegunAt = (start: number): boolean => {
    machine.restart();
    for (let at = start; at < chars.length; at++) {
      left -= machine.openReadings;
      if (left < 0) throw refusal('begins in too many ways');
      if (!machine.accept(chars[at] ?? '')) return false;
    }
    return true;
  };
  for (let start = 0; start < chars.length; start++) {
    if (!isBegunAt(start)) continue;
    if (machine.openReadings > maxReadings) throw refusal(`can be read in more than ${maxReadings} ways at once`);
    return machine.rest();
  }
  return undefined;
}

function refusal(how: string): ServeError {
  const message = `The answer that is to be continued ${how} in the form that is asked for; leave it out, or take a simpler form.`;
  return new ServeError('invalid_request', message, { param: 'messages' });
}
