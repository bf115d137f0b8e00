import { ServeError } from '../../contract/errors.ts';
import { withExactSeeds } from './exact-seeds.ts';

/** JSON text -> value, with every way to fail told as the client's own. */
export function parseJson(text: string, maxDepth: number): unknown {
  if (text.trim() === '') throw new ServeError('invalid_request', 'The request body is empty: send a JSON object.');
  refuseDeep(text, maxDepth);
  const value = withExactSeeds(tryParse(text), text);
  return text.includes('\\u') && mayHoldLoneSurrogates.test(text) ? wellFormed(value) : value;
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    const reason = error instanceof Error ? error.message : '';
    throw new ServeError(
      'invalid_request',
      `The request body is not valid JSON: ${withoutSource(reason)}.`,
      {},
      { cause: error },
    );
  }
}

/** V8 quotes the source around the fault; the prompt must not come back in an error or a log. */
function withoutSource(reason: string): string {
  const position = /at position \d+( \(line \d+ column \d+\))?/.exec(reason)?.[0];
  return position === undefined ? 'something in it is no JSON' : `the fault is ${position}`;
}

const quote = 0x22;
const backslash = 0x5c;

/**
 * Counted on the text, before anything is built: a few megabytes of `[` would otherwise become gigabytes of arrays, and
 * whatever walks the value later would run out of stack.
 */
function refuseDeep(text: string, maxDepth: number): void {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const character = text.charCodeAt(at);
    if (character === quote) at = endOfString(text, at);
    else if (character === 0x5b || character === 0x7b) depth++;
    else if (character === 0x5d || character === 0x7d) depth--;
    if (depth > maxDepth)
      throw new ServeError(
        'invalid_request',
        `The request body is nested more than ${maxDepth} levels deep. Flatten it, or start the server with a larger --max-json-depth.`,
      );
  }
}

/** Where the string that opens here closes; the end of the text when it does not. Long strings cost one native search. */
function endOfString(text: string, open: number): number {
  let close = open;
  do {
    close = text.indexOf('"', close + 1);
    if (close === -1) return text.length;
  } while (isEscaped(text, close));
  return close;
}

/** An odd number of backslashes stands before it. */
function isEscaped(text: string, at: number): boolean {
  let before = at;
  while (text.charCodeAt(before - 1) === backslash) before--;
  return (at - before) % 2 === 1;
}

/** Raw UTF-8 cannot spell a lone surrogate, only an escape can. */
const mayHoldLoneSurrogates = /\\u[dD][89a-fA-F]/;

/** Half of a character pair means nothing to a tokenizer: it becomes U+FFFD, in keys too. */
function wellFormed(value: unknown): unknown {
  if (typeof value === 'string') return replaceLoneSurrogates(value);
  if (Array.isArray(value)) return value.map(wellFormed);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [replaceLoneSurrogates(key), wellFormed(member)]),
  );
}

function replaceLoneSurrogates(text: string): string {
  return text.replace(/[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, '\ufffd');
}
