import type { JsonValue } from '../../contract/json.ts';
import { tuple } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import type { Alternative } from './schema-types.ts';

/**
 * Arrays with at least as many items as their `contains` asks for; undefined: no array has what it asks for. Which of the
 * items fit is checked afterwards.
 */
export function withRoomForContained(compiler: SchemaRules, array: Alternative): Alternative | undefined {
  const { plain, path } = array;
  const { contains } = plain;
  const least = Number(plain.minContains ?? 1);
  if (contains === undefined || least === 0) return array;
  const most = Math.min(Number(plain.maxContains ?? least), Number(plain.maxItems ?? least));
  if (most < least || !canContain(compiler, array, contains)) return undefined;
  const minItems = Math.max(least, Number(plain.minItems ?? 0));
  return { plain: { ...plain, minItems }, path };
}

/** Some place of the array takes a value that fits. */
function canContain(compiler: SchemaRules, { plain, path }: Alternative, contains: JsonValue): boolean {
  const { prefix, rest } = tuple(plain);
  return [...prefix, rest ?? true].some((place) => {
    const both = place === true ? contains : { allOf: [place, contains] };
    return compiler.inner(both, `${path}/contains`) !== undefined;
  });
}
