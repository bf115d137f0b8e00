import { larkToRegex } from './lark.ts';

/**
 * The grammar of a free-form tool as a JSON Schema `pattern`, undefined where that cannot be done: a syntax that we do
 * not know, a regular expression that does not compile, a Lark grammar that recurses or skips text.
 */
export function inputPattern(syntax: string | undefined, definition: string): string | undefined {
  const regex = syntax === 'lark' ? larkToRegex(definition) : syntax === 'regex' ? definition : undefined;
  if (regex === undefined) return undefined;
  const pattern = `^(?:${regex})$`;
  return compiles(pattern) ? pattern : undefined;
}

function compiles(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}
