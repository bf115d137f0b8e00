import { createContext, runInContext } from 'node:vm';
import type { Automaton } from './automaton.ts';
import { accepts, TooManyStates } from './automaton.ts';
import { parseRegex, UnsupportedRegex } from './regex.ts';
import { regexAutomaton } from './regex-automaton.ts';

const maxStates = 1_000;

/** Milliseconds for the first expression that backtracks; the n-th one gets an n-th of it. */
const patience = 30;
/** So many that came to no end are enough. */
const maxEndless = 3;

/**
 * Tests texts against the patterns of one request. Regular expressions run as automata, in one pass; those with lookaround
 * or back references as JavaScript's own. Clients write these and some explode while the event loop waits for them: so
 * they have less and less time, and all together hardly more than a few of them.
 */
export class PatternTests {
  #automata = new Map<string, Automaton | undefined>();
  #natives = 0;
  #endless = 0;

  /** Is the pattern found in the text, as JSON Schema means it? undefined: nobody can tell. */
  test(pattern: string, text: string): boolean | undefined {
    if (!this.#automata.has(pattern)) this.#automata.set(pattern, compile(pattern));
    const automaton = this.#automata.get(pattern);
    if (automaton) return accepts(automaton, text);
    if (this.#endless >= maxEndless) return undefined;
    this.#natives++;
    const found = runNative(pattern, text, Math.max(1, Math.floor(patience / this.#natives)));
    if (found === undefined) this.#endless++;
    return found;
  }

  matches(pattern: string, text: string): boolean {
    return this.test(pattern, text) ?? false;
  }
}

/** Only strings go in, and only a flag comes out. */
const sandbox = createContext({ pattern: '', text: '' }, { codeGeneration: { strings: false, wasm: false } });

function runNative(pattern: string, text: string, timeout: number): boolean | undefined {
  try {
    Object.assign(sandbox, { pattern, text });
    const found: unknown = runInContext('new RegExp(pattern, "u").test(text)', sandbox, { timeout });
    return found === true;
  } catch {
    return undefined;
  } finally {
    sandbox.text = '';
  }
}

function compile(pattern: string): Automaton | undefined {
  try {
    return regexAutomaton(parseRegex(pattern), maxStates);
  } catch (error) {
    if (error instanceof UnsupportedRegex || error instanceof TooManyStates) return undefined;
    throw error;
  }
}
