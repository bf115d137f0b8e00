import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { accepts } from '../regex/automaton.ts';
import { PatternTests } from '../regex/pattern-test.ts';
import { formatNamed } from './formats.ts';
import { equal, forName, joined, keys, list, member, tuple } from './schema-merge.ts';
import { referenced } from './schema-references.ts';
import { pointerPart } from './schema-words.ts';
import { ValueSet, valueSet } from './value-set.ts';

/** Where a value does not fit: a pointer into the value, and the keyword of the schema that it fails. */
export interface Misfit {
  readonly path: string;
  readonly keyword: string;
}

/**
 * Does the value fit the schema? [] when it does. Checks all keywords of draft 2020-12 but `unevaluated*` and
 * `$dynamicRef`, in bounded time: a value that takes more than `maxSteps` counts as fitting.
 */
export function misfits(schema: JsonValue, value: JsonValue, tests = new PatternTests()): readonly Misfit[] {
  const checker = new Checker(schema, false, tests);
  checker.check(schema, value, '');
  return checker.found;
}

/** The same as a yes or no, where formats count as they are offered: see the table of formats. */
export function isValid(
  schema: JsonValue,
  value: JsonValue,
  { root = schema, tests = new PatternTests() } = {},
): boolean {
  const checker = new Checker(root, true, tests);
  checker.check(schema, value, '');
  return checker.found.length === 0;
}

const maxSteps = 200_000;
const maxMisfits = 20;

class Checker {
  found: Misfit[] = [];
  #root: JsonValue;
  #narrowFormats: boolean;
  #patterns: PatternTests;
  #steps = 0;
  #depth = 0;

  constructor(root: JsonValue, narrowFormats: boolean, patterns: PatternTests) {
    this.#root = root;
    this.#narrowFormats = narrowFormats;
    this.#patterns = patterns;
  }

  check(schema: JsonValue | undefined, value: JsonValue, path: string): void {
    if (schema === undefined || schema === true || ++this.#steps > maxSteps || this.#depth > 300) return;
    if (schema === false) this.#miss(path, 'false schema');
    if (!isJsonObject(schema)) return;
    this.#depth++;
    this.#general(schema, value, path);
    this.#combined(schema, value, path);
    if (typeof value === 'string') this.#string(schema, value, path);
    else if (typeof value === 'number') this.#number(schema, value, path);
    else if (Array.isArray(value)) this.#array(schema, value, path);
    else if (isJsonObject(value)) this.#object(schema, value, path);
    this.#depth--;
  }

  #fits(schema: JsonValue, value: JsonValue): boolean {
    const before = this.found;
    this.found = [];
    this.check(schema, value, '');
    const fits = this.found.length === 0;
    this.found = before;
    return fits;
  }

  #general(schema: JsonObject, value: JsonValue, path: string): void {
    const types = list(schema.type);
    const isNull = value === null && schema.nullable === true;
    if (types.length > 0 && !isNull && !types.some((type) => hasType(value, type))) this.#miss(path, 'type');
    if (schema.enum !== undefined && !valueSet(list(schema.enum)).has(value)) this.#miss(path, 'enum');
    if (schema.const !== undefined && !equal(schema.const, value)) this.#miss(path, 'const');
  }

  #combined(schema: JsonObject, value: JsonValue, path: string): void {
    const reference = schema.$ref;
    // One that leads nowhere asks nothing: whoever checks an answer must not fail it.
    if (typeof reference === 'string') this.check(referenced(this.#root, reference), value, path);
    for (const each of list(schema.allOf)) this.check(each, value, path);
    const any = schema.anyOf;
    if (any !== undefined && !list(any).some((each) => this.#fits(each, value))) this.#miss(path, 'anyOf');
    const one = schema.oneOf;
    if (one !== undefined && list(one).filter((each) => this.#fits(each, value)).length !== 1)
      this.#miss(path, 'oneOf');
    if (joined(schema.not).some((each) => this.#fits(each, value))) this.#miss(path, 'not');
    const condition = schema.if;
    if (condition !== undefined) this.check(schema[this.#fits(condition, value) ? 'then' : 'else'], value, path);
  }

  #string(schema: JsonObject, value: string, path: string): void {
    const length = [...value].length;
    if (length < Number(schema.minLength ?? 0)) this.#miss(path, 'minLength');
    if (length > Number(schema.maxLength ?? Number.POSITIVE_INFINITY)) this.#miss(path, 'maxLength');
    if (joined(schema.pattern).some((each) => this.#patterns.test(String(each), value) === false))
      this.#miss(path, 'pattern');
    for (const name of joined(schema.format)) {
      const format = formatNamed(String(name));
      if (format && (format.exact || this.#narrowFormats) && !accepts(format.automaton, value))
        this.#miss(path, 'format');
    }
  }

  #number(schema: JsonObject, value: number, path: string): void {
    const limits = numberLimits(schema);
    if (limits.min && (limits.min.exclusive ? value <= limits.min.value : value < limits.min.value))
      this.#miss(path, 'minimum');
    if (limits.max && (limits.max.exclusive ? value >= limits.max.value : value > limits.max.value))
      this.#miss(path, 'maximum');
    const step = schema.multipleOf;
    // 0.3 / 0.1 is not 3 in doubles: what differs only by rounding is a multiple.
    if (typeof step === 'number' && Math.abs(value / step - Math.round(value / step)) > 1e-9)
      this.#miss(path, 'multipleOf');
  }

  #array(schema: JsonObject, value: readonly JsonValue[], path: string): void {
    if (value.length < Number(schema.minItems ?? 0)) this.#miss(path, 'minItems');
    if (value.length > Number(schema.maxItems ?? Number.POSITIVE_INFINITY)) this.#miss(path, 'maxItems');
    const { prefix, rest } = tuple(schema);
    value.forEach((each, index) => {
      this.check(prefix[index] ?? rest, each, `${path}/${index}`);
    });
    if (schema.uniqueItems === true && new ValueSet(value).size < value.length) this.#miss(path, 'uniqueItems');
    const wanted = schema.contains;
    if (wanted === undefined) return;
    const count = value.filter((each) => this.#fits(wanted, each)).length;
    if (count < Number(schema.minContains ?? 1) || count > Number(schema.maxContains ?? Number.POSITIVE_INFINITY))
      this.#miss(path, 'contains');
  }

  #object(schema: JsonObject, value: JsonObject, path: string): void {
    const names = Object.keys(value);
    if (names.length < Number(schema.minProperties ?? 0)) this.#miss(path, 'minProperties');
    if (names.length > Number(schema.maxProperties ?? Number.POSITIVE_INFINITY)) this.#miss(path, 'maxProperties');
    if (list(schema.required).some((name) => !Object.hasOwn(value, String(name)))) this.#miss(path, 'required');
    for (const name of names) {
      const asked = forName(schema, name, this.#patterns);
      this.check(asked, value[name] ?? null, `${path}/${pointerPart(name)}`);
      if (schema.propertyNames !== undefined && !this.#fits(schema.propertyNames, name))
        this.#miss(path, 'propertyNames');
    }
    for (const word of ['dependentRequired', 'dependencies', 'dependentSchemas'])
      for (const name of keys(schema[word]))
        if (Object.hasOwn(value, name)) this.#dependent(member(schema[word], name), value, { path, word });
  }

  #dependent(asked: JsonValue | undefined, value: JsonObject, { path, word }: { path: string; word: string }): void {
    if (!Array.isArray(asked)) this.check(asked, value, path);
    else if (asked.some((name) => !Object.hasOwn(value, String(name)))) this.#miss(path, word);
  }

  #miss(path: string, keyword: string): void {
    if (this.found.length < maxMisfits) this.found.push({ path: path === '' ? '/' : path, keyword });
  }
}

function hasType(value: JsonValue, type: JsonValue): boolean {
  if (type === 'null') return value === null;
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return isJsonObject(value);
  if (type === 'integer') return Number.isInteger(value);
  return typeof value === type;
}

export interface NumberLimits {
  readonly min: { readonly value: number; readonly exclusive: boolean } | undefined;
  readonly max: { readonly value: number; readonly exclusive: boolean } | undefined;
}

/** Bounds of all spellings: draft 4's flags too. */
export function numberLimits(schema: JsonObject): NumberLimits {
  const limit = (
    plain: JsonValue | undefined,
    exclusive: JsonValue | undefined,
    tighter: (a: number, b: number) => boolean,
  ) => {
    const closed = typeof plain === 'number' ? { value: plain, exclusive: exclusive === true } : undefined;
    if (typeof exclusive !== 'number') return closed;
    return closed && tighter(closed.value, exclusive) ? closed : { value: exclusive, exclusive: true };
  };
  return {
    min: limit(schema.minimum, schema.exclusiveMinimum, (a, b) => a > b),
    max: limit(schema.maximum, schema.exclusiveMaximum, (a, b) => a < b),
  };
}
