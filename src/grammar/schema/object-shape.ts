import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { choice, sequence } from '../gbnf/gbnf.ts';
import type { Automaton } from '../regex/automaton.ts';
import { complement, intersect, isNothing as isNoText, ofTexts } from '../regex/automaton.ts';
import { parseRegex } from '../regex/regex.ts';
import { regexAutomaton } from '../regex/regex-automaton.ts';
import type { Member } from './json-containers.ts';
import { jsonStyle, memberRules } from './json-containers.ts';
import type { RuleBook } from './rule-book.ts';
import { forName, keys, list, member } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import { isNothing } from './schema-types.ts';
import { pointerPart } from './schema-words.ts';
import { isValid } from './validate.ts';

export interface Property {
  readonly name: string;
  readonly schema: JsonValue;
  readonly required: boolean;
  readonly path: string;
}

/** An object schema taken apart: its declared properties in order, and what else may come. */
export interface ObjectShape {
  readonly properties: readonly Property[];
  readonly schema: JsonObject;
}

/** May members come that are neither declared nor of a pattern? Objects that declare some are closed unless they say otherwise. */
export function isOpenObject(schema: JsonObject): boolean {
  const { unevaluatedProperties: unevaluated = true } = schema;
  const rest = schema.additionalProperties ?? (isNothing(unevaluated) ? false : undefined);
  const isBare = keys(schema.properties).length + keys(schema.patternProperties).length === 0;
  return rest === undefined ? isBare : !isNothing(rest);
}

/** Required names without a schema of their own come after the declared ones. */
export function objectShape(compiler: SchemaRules, schema: JsonObject, path: string): ObjectShape {
  const required = new Set(list(schema.required).map(String));
  const names = [...new Set([...keys(schema.properties), ...required])];
  const allowed = schema.propertyNames;
  return {
    schema,
    properties: names.map((name) => ({
      name,
      required: required.has(name),
      path: `${path}/properties/${pointerPart(name)}`,
      schema:
        allowed !== undefined && !isValid(allowed, name, compiler)
          ? false
          : (forName(schema, name, compiler.tests) ?? true),
    })),
  };
}

const maxStates = 600;

/** undefined: no object fits. */
export function objectShapeRules(compiler: SchemaRules, shape: ObjectShape, path: string): Expression | undefined {
  const { json } = compiler;
  const { schema } = shape;
  const members: Member[] = [];
  for (const { name, schema: asked, required, path: place } of shape.properties) {
    const value = compiler.inner(asked, place);
    if (value) members.push({ begin: json.keyText(name), rest: sequence(json.blank, value), required });
    else if (required) return undefined;
  }
  const further = furtherPairs(compiler, shape, path);
  const needed = members.filter(({ required }) => required).length;
  const min = Number(schema.minProperties ?? 0);
  const max = schema.maxProperties === undefined ? undefined : Number(schema.maxProperties);
  if (max !== undefined && (needed > max || min > max)) return undefined;
  if (!further && members.length < min) return undefined;
  if (max === needed)
    return memberRules(
      json.book,
      members.filter(({ required }) => required),
      jsonStyle(json),
    );
  const counted = members.length === 0;
  if (max !== undefined && !counted && (further || members.length > max)) compiler.loosen(path, 'maxProperties');
  // Two of the further names may turn out the same, so two written ones need not be two.
  if (min > Math.max(needed, 1) || (min > needed && min > 1)) compiler.loosen(path, 'minProperties');
  const counts = counted ? { min, max } : { min: 0, max: undefined };
  return memberRules(json.book, members, jsonStyle(json), {
    further: further && { pair: further, ...counts },
    nonEmpty: min > 0,
  });
}

/** `"name": value` for names that are not declared; undefined: there are none. */
function furtherPairs(
  compiler: SchemaRules,
  { schema, properties }: ObjectShape,
  path: string,
): Expression | undefined {
  const rest = schema.additionalProperties;
  const patterns = keys(schema.patternProperties);
  const isOpen = isOpenObject(schema);
  if (!isOpen && patterns.length === 0) return undefined;
  const { json } = compiler;
  const names = propertyNames(compiler, schema, path);
  if (patterns.length === 0 && properties.length === 0 && !names) {
    const value = compiler.inner(rest ?? true, `${path}/additionalProperties`);
    return value && sequence(json.keyOf(undefined), value);
  }
  const free = json.book.explore(() => {
    const undeclared = complement(
      ofTexts(
        properties.map(({ name }) => name),
        4_000,
      ),
    );
    return names ? intersect(undeclared, names, maxStates) : undeclared;
  });
  const keysOf = patterns.map((pattern) => json.book.explore(() => regexAutomaton(parseRegex(pattern), maxStates)));
  if (!free || keysOf.some((found) => !found)) {
    // Further names are then not offered: fewer texts than would be valid, unless a pattern asks for some.
    if (patterns.length > 0) compiler.loosen(path, 'patternProperties');
    return undefined;
  }
  const pairs = patterns.map((pattern, index) =>
    pairOf(compiler, {
      // Names that fit two patterns are left out: their values would have to fit both schemas.
      names: without(
        json.book,
        keysOf[index] && json.book.explore(() => intersect(free, keysOf[index] ?? free, maxStates)),
        keysOf.filter((_, other) => other !== index),
      ),
      schema: member(schema.patternProperties, pattern) ?? true,
      path: `${path}/patternProperties/${pointerPart(pattern)}`,
    }),
  );
  if (isOpen)
    pairs.push(
      pairOf(compiler, {
        names: without(json.book, free, keysOf),
        schema: rest ?? true,
        path: `${path}/additionalProperties`,
      }),
    );
  const possible = pairs.filter((each) => each !== undefined);
  return possible.length === 0 ? undefined : json.book.define('pair', choice(...possible));
}

function pairOf(
  compiler: SchemaRules,
  { names, schema, path }: { names: Automaton | undefined; schema: JsonValue; path: string },
): Expression | undefined {
  const value = compiler.inner(schema, path);
  if (!names || !value || isNoText(names)) return undefined;
  const { json } = compiler;
  return sequence(json.keyOf(names), value);
}

function without(
  book: RuleBook,
  names: Automaton | undefined,
  others: readonly (Automaton | undefined)[],
): Automaton | undefined {
  return others.reduce(
    (left, other) => left && other && book.explore(() => intersect(left, complement(other), maxStates)),
    names,
  );
}

/** The automaton of `propertyNames`, where it is about patterns, lengths or a list of names. */
function propertyNames(compiler: SchemaRules, schema: JsonObject, path: string): Automaton | undefined {
  const asked = schema.propertyNames;
  if (asked === undefined || asked === true) return undefined;
  const [plain, ...more] = compiler.expander.expand(asked, `${path}/propertyNames`);
  if (!plain) return ofTexts([], 1);
  const values = plain && more.length === 0 ? compiler.fixedValues(plain) : undefined;
  if (values)
    return compiler.json.book.explore(() =>
      ofTexts(
        values.filter((value) => typeof value === 'string'),
        4_000,
      ),
    );
  if (plain && more.length === 0 && Object.keys(plain).join() === 'type') return undefined;
  const pattern = plain?.pattern;
  const known = ['type', 'pattern'];
  if (
    more.length === 0 &&
    typeof pattern === 'string' &&
    Object.keys(plain ?? {}).every((word) => known.includes(word))
  ) {
    const automaton = compiler.json.book.explore(() => regexAutomaton(parseRegex(pattern), maxStates));
    if (automaton) return automaton;
  }
  compiler.loosen(path, 'propertyNames');
  return undefined;
}
