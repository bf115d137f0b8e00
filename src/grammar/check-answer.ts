import type { Block } from '../contract/events.ts';
import type { JsonValue } from '../contract/json.ts';
import type { Constraint } from './constraint.ts';
import { type Misfit, misfits } from './schema/validate.ts';

/**
 * Checks a finished answer against the schemas whose grammar had to be loosened. [] when all is well; otherwise one
 * sentence for every part that does not fit, for the log and the warning header. The answer itself is never changed.
 */
export function checkAnswer({ checks }: Pick<Constraint, 'checks'>, blocks: readonly Block[]): readonly string[] {
  const found: string[] = [];
  for (const block of blocks) {
    if (block.kind === 'tool-call') {
      const schema = checks.tools.get(block.name);
      if (schema !== undefined) found.push(...sentence(`The arguments of ${block.name} do`, schema, block.arguments));
    } else if (block.kind === 'text' && checks.answer !== undefined) {
      found.push(...sentence('The answer does', checks.answer, block.text));
    }
  }
  return found;
}

function sentence(what: string, schema: JsonValue, text: string): readonly string[] {
  const value = parse(text);
  if (value === undefined) return [`${what} not fit the schema: it is no complete JSON.`];
  const wrong = misfitsOf(schema, value);
  if (!wrong) return [`Whether it fits the schema could not be told: it nests too deep.`];
  if (wrong.length === 0) return [];
  const places = wrong.slice(0, 5).map(({ path, keyword }) => `${keyword} at ${path}`);
  return [`${what} not fit the schema: ${places.join(', ')}.`];
}

/** undefined: a value so deep that it cannot be looked through. An answer is never lost to its check. */
function misfitsOf(schema: JsonValue, value: JsonValue): readonly Misfit[] | undefined {
  try {
    return misfits(schema, value);
  } catch {
    return undefined;
  }
}

function parse(text: string): JsonValue | undefined {
  try {
    return JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
}
