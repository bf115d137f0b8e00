import { runInNewContext } from 'node:vm';
import type { Automaton } from './automaton.ts';
import { accepts, TooManyStates } from './automaton.ts';
import { parseRegex, UnsupportedRegex } from './regex.ts';
import { regexAutomaton } from './regex-automaton.ts';

/** Longest time a backtracking expression may take, in milliseconds: clients write these, and some explode. */
const patience = 20;
const maxStates = 1_000;

/**
 * Is the pattern found in the text, as JSON Schema means it? Regular ones run as automata, in one pass; those with
 * lookaround or back references as JavaScript's own, with a time limit. undefined: nobody can tell.
 */
export function testPattern(pattern: string, text: string): boolean | undefined {
  const automaton = automatonOf(pattern);
  if (automaton) return accepts(automaton, text);
  try {
    const found: unknown = runInNewContext(
      'new RegExp(pattern, "u").test(text)',
      { pattern, text },
      { timeout: patience },
    );
    return found === true;
  } catch {
    return undefined;
  }
}

export function matchesPattern(pattern: string, text: string): boolean {
  return testPattern(pattern, text) ?? false;
}

/** Automata of late, the least recently used first: the strings of an answer are checked one by one against few patterns. */
const kept = new Map<string, { readonly automaton: Automaton | undefined; readonly size: number }>();
/** Ways and patterns' characters in all that is kept: some megabytes. */
const maxKept = 100_000;
let keptSize = 0;

function automatonOf(pattern: string): Automaton | undefined {
  const known = kept.get(pattern);
  if (known) {
    kept.delete(pattern);
    kept.set(pattern, known);
    return known.automaton;
  }
  const automaton = compile(pattern);
  const size = (automaton?.states ?? []).reduce((sum, { ways }) => sum + 1 + ways.length, 1 + pattern.length);
  kept.set(pattern, { automaton, size });
  keptSize += size;
  for (const [oldest, { size }] of kept) {
    if (keptSize <= maxKept) break;
    kept.delete(oldest);
    keptSize -= size;
  }
  return automaton;
}

function compile(pattern: string): Automaton | undefined {
  try {
    return regexAutomaton(parseRegex(pattern), maxStates);
  } catch (error) {
    if (error instanceof UnsupportedRegex || error instanceof TooManyStates) return undefined;
    throw error;
  }
}
