import { createContext, runInContext } from 'node:vm';
import type { Automaton } from './automaton.ts';
import { accepts, TooManyStates } from './automaton.ts';
import { parseRegex, UnsupportedRegex } from './regex.ts';
import { regexAutomaton } from './regex-automaton.ts';

const maxStates = 1_000;
/** Of all expressions of one request together; those behind are JavaScript's own too. */
const maxEffort = 50_000;
/** Of one that has too many states. */
const effortOfFailure = 5_000;

/** Milliseconds for the first expression that backtracks; the n-th one gets an n-th of it. */
const usualPatience = 30;
/** So many that came to no end are enough. */
const maxEndless = 3;

/**
 * Tests texts against the patterns of one request. Regular expressions run as automata, in one pass; those with lookaround
 * or back references as JavaScript's own. Clients write these and some explode while the event loop waits for them: so
 * they have less and less time, and all together hardly more than a few of them.
 */
export class PatternTests {
  #automata = new Map<string, Automaton | undefined>();
  #problems = new Map<string, string | undefined>();
  #natives = 0;
  #endless = 0;
  #effort = 0;
  readonly #patience: number;

  constructor(patience = usualPatience) {
    this.#patience = patience;
  }

  /** Is the pattern found in the text, as JSON Schema means it? undefined: nobody can tell. */
  test(pattern: string, text: string): boolean | undefined {
    if (!this.#automata.has(pattern)) this.#automata.set(pattern, this.#compile(pattern));
    const automaton = this.#automata.get(pattern);
    if (automaton) return accepts(automaton, text);
    if (this.#endless >= maxEndless) return undefined;
    this.#natives++;
    const found = runNative(pattern, text, Math.max(1, Math.floor(this.#patience / this.#natives)));
    if (found === undefined) this.#endless++;
    return found;
  }

  #compile(pattern: string): Automaton | undefined {
    if (this.#effort > maxEffort) return undefined;
    const automaton = compile(pattern);
    this.#effort += automaton?.effort ?? effortOfFailure;
    return automaton;
  }

  /** Why it is no regular expression; undefined: it is one. */
  problemOf(pattern: string): string | undefined {
    if (!this.#problems.has(pattern)) this.#problems.set(pattern, patternProblem(pattern));
    return this.#problems.get(pattern);
  }

  matches(pattern: string, text: string): boolean {
    return this.test(pattern, text) ?? false;
  }
}

/**
 * Why a pattern is no regular expression; undefined: it is one. Patterns are ECMA-262's; of other spellings those are
 * understood that mean the same wherever they are known, see `ecmaScript`.
 */
export function patternProblem(pattern: string): string | undefined {
  try {
    parseRegex(pattern);
    return undefined;
  } catch (error) {
    if (!(error instanceof UnsupportedRegex)) throw error;
    return compiled(pattern) ? undefined : error.message;
  }
}

/** Letters that mean nothing after a backslash, or other things in other languages: JavaScript would take `\\h` for an h. */
const unknownEscapes = 'aeghijlmopqyzACEFGHIJKLMNOPQRTUVXYZ';

/** For what only a machine that backtracks understands; undefined: nobody does. `u` reads more strictly. */
function compiled(pattern: string): { readonly source: string; readonly flags: string } | undefined {
  const { source, flags } = ecmaScript(pattern);
  const isStrange = [...source.matchAll(/\\([\s\S])/g)].some(([, letter = '']) => unknownEscapes.includes(letter));
  return [`${flags}u`, ...(isStrange ? [] : [flags])].map((each) => ({ source, flags: each })).find(isReadable);
}

function isReadable({ source, flags }: { readonly source: string; readonly flags: string }): boolean {
  try {
    new RegExp(source, flags);
    return true;
  } catch {
    return false;
  }
}

/** Python's and PCRE's spellings of what JavaScript has: flags at the beginning, named groups, ends of the text. */
function ecmaScript(pattern: string): { readonly source: string; readonly flags: string } {
  const [, caret = '', letters = '', rest = pattern] = /^(\^?)\(\?([imsua]+)\)([\s\S]*)$/.exec(pattern) ?? [];
  const source = rest.replace(/\\([\s\S])|\(\?P<|\(\?P=(\w+)\)/g, (found, escaped?: string, name?: string) => {
    if (found === '(?P<') return '(?<';
    if (name !== undefined) return `\\k<${name}>`;
    if (escaped === 'A') return '^';
    return escaped === 'Z' || escaped === 'z' ? '$' : found;
  });
  return { source: caret + source, flags: [...new Set(letters)].filter((letter) => 'ims'.includes(letter)).join('') };
}

/** Only strings go in, and only a flag comes out. */
const sandbox = createContext({ source: '', flags: '', text: '' }, { codeGeneration: { strings: false, wasm: false } });

function runNative(pattern: string, text: string, timeout: number): boolean | undefined {
  const readable = compiled(pattern);
  if (!readable) return undefined;
  try {
    Object.assign(sandbox, readable, { text });
    const found: unknown = runInContext('new RegExp(source, flags).test(text)', sandbox, { timeout });
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
