import type { JsonObject } from '../../contract/json.ts';
import { factored } from '../gbnf/factored.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { either, text } from '../gbnf/gbnf.ts';
import { integerRange, numberRange, wholeLimits, wholeNumber } from './numbers.ts';
import { list } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import type { Alternative } from './schema-types.ts';
import { numberLimits } from './validate.ts';

const maxEnumerated = 1_000;
/** So many ranges are read side by side; more become one. */
const maxRanges = 4;

/** Numbers of one of the alternatives. */
export function numberUnionRules(
  compiler: SchemaRules,
  alternatives: readonly Alternative[],
  path: string,
): Expression | undefined {
  const distinct = new Map(alternatives.map((each) => [JSON.stringify(numberWords(each.plain)), each] as const));
  const several = [...distinct.values()];
  const anything = several.find(({ plain }) => isWithoutLimits(plain) && !isInteger(plain));
  if (anything) return compiler.json.number;
  if (several.length <= maxRanges)
    return either(several.map(({ plain, path: place }) => numberRules(compiler, plain, place)));
  compiler.loosen(path, 'anyOf');
  return numberRules(compiler, around(several.map(({ plain }) => plain)), path);
}

function numberWords({ type, minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf }: JsonObject) {
  return { integer: isInteger({ type }), minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf };
}

function isInteger({ type }: JsonObject): boolean {
  return list(type).includes('integer') && !list(type).includes('number');
}

function isWithoutLimits(plain: JsonObject): boolean {
  const { min, max } = numberLimits(plain);
  return !min && !max && plain.multipleOf === undefined;
}

/** From the smallest to the largest that any allows. */
function around(schemas: readonly JsonObject[]): JsonObject {
  const limits = schemas.map(numberLimits);
  const lows = limits.map(({ min }) => min?.value ?? Number.NEGATIVE_INFINITY);
  const highs = limits.map(({ max }) => max?.value ?? Number.POSITIVE_INFINITY);
  const [minimum, maximum] = [Math.min(...lows), Math.max(...highs)];
  return {
    type: schemas.every(isInteger) ? 'integer' : 'number',
    ...(Number.isFinite(minimum) && { minimum }),
    ...(Number.isFinite(maximum) && { maximum }),
  };
}

function numberRules(compiler: SchemaRules, schema: JsonObject, path: string): Expression | undefined {
  const step = schema.multipleOf;
  if (isInteger(schema) || (typeof step === 'number' && Number.isInteger(step)))
    return integerRules(compiler, schema, path);
  if (step !== undefined) compiler.loosen(path, 'multipleOf');
  const { min, max } = numberLimits(schema);
  return numberRange(compiler.json, min, max);
}

function integerRules(compiler: SchemaRules, schema: JsonObject, path: string): Expression | undefined {
  const { low, high } = wholeLimits(numberLimits(schema));
  if (low === Number.POSITIVE_INFINITY || high === Number.NEGATIVE_INFINITY) return undefined;
  const { json } = compiler;
  const bounds = { min: whole(low), max: whole(high) };
  const step = schema.multipleOf;
  if (typeof step !== 'number' || Number.isInteger(1 / step)) return integerRange(json, bounds);
  if ((high - low) / step <= maxEnumerated && Number.isInteger(step)) {
    const first = Math.ceil(low / step);
    const count = Math.max(0, Math.floor(high / step) - first + 1);
    const values = Array.from({ length: count }, (_, index) => (first + index) * step + 0);
    // Of numbers beyond 2 ** 53 the quotient is rounded.
    const within = [...new Set(values.filter((value) => value >= low && value <= high))];
    const texts = within.map((value) => text(String(value)));
    return texts.length === 0 ? undefined : factored(json.book, 'multiple', texts);
  }
  compiler.loosen(path, 'multipleOf');
  return integerRange(json, bounds);
}

/** Undefined where there is no bound. */
function whole(value: number): bigint | undefined {
  return Number.isFinite(value) ? wholeNumber(value) : undefined;
}
