import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import type { PatternTests } from '../regex/pattern-test.ts';
import { keys, list, member, mergeSchemas, withoutAnnotations } from './schema-merge.ts';
import { resolveReference } from './schema-references.ts';
import { isAnything, isNothing } from './schema-types.ts';
import { refuse } from './schema-words.ts';
import { valueSet } from './value-set.ts';

/** More alternatives than any real schema has; made-up ones multiply. */
const maxAlternatives = 256;
const maxSteps = 20_000;
/** References and unions inside a `not` that are followed. */
const maxNegated = 20;

export interface ExpanderOptions {
  readonly root: JsonValue;
  readonly param: string;
  readonly tests: PatternTests;
  readonly loosen: (path: string, keyword: string) => void;
}

/** Takes `$ref`, `allOf`, `anyOf` and `oneOf` apart: a schema becomes alternatives that have none of these at their top. */
export class SchemaExpander {
  #root: JsonValue;
  #param: string;
  #loosen: (path: string, keyword: string) => void;
  #tests: PatternTests;
  #steps = 0;

  constructor({ root, param, tests, loosen }: ExpanderOptions) {
    this.#root = root;
    this.#param = param;
    this.#tests = tests;
    this.#loosen = loosen;
  }

  resolve(reference: string, path: string): { readonly schema: JsonValue; readonly path: string } {
    return resolveReference(this.#root, reference, { path, param: this.#param });
  }

  /** [] when no value can satisfy all parts. */
  expand(schema: JsonValue, path: string, open: ReadonlySet<string> = new Set()): readonly JsonObject[] {
    if (++this.#steps > maxSteps)
      throw refuse('unfolds into too many parts; use fewer combinations', path, this.#param);
    if (!isJsonObject(schema)) return schema === false ? [] : [{}];
    const { $ref: reference, allOf, anyOf, oneOf, not, ...others } = decided(withoutAnnotations(schema));
    const { excluded, needed } = this.#negated(not ?? false, path);
    if (excluded.some(isAnything)) return [];
    let found: readonly JsonObject[] = [withExcluded(others, excluded)];
    for (const each of needed) found = this.#product(found, this.expand(each, path, open), path);
    if (typeof reference === 'string') {
      if (open.has(reference)) return [];
      const target = this.resolve(reference, path);
      found = this.#product(found, this.expand(target.schema, target.path, new Set([...open, reference])), path);
    }
    for (const each of list(allOf)) found = this.#product(found, this.expand(each, path, open), path);
    if (oneOf !== undefined) this.checkOneOf(list(oneOf), path);
    for (const union of [anyOf, oneOf]) {
      if (union !== undefined)
        found = this.#product(
          found,
          list(union).flatMap((each) => this.expand(each, path, open)),
          path,
        );
    }
    return found;
  }

  /** What `not` keeps out, and what it asks for where it negates a `not`. */
  #negated(not: JsonValue, path: string, steps = 0): { readonly excluded: JsonValue[]; readonly needed: JsonValue[] } {
    if (!isJsonObject(not) || steps > maxNegated) return { excluded: not === false ? [] : [not], needed: [] };
    const asked = withoutAnnotations(not);
    const [word = '', ...more] = Object.keys(asked);
    const parts =
      more.length > 0
        ? undefined
        : word === '$ref'
          ? [this.resolve(String(asked.$ref), path).schema]
          : word === 'anyOf' || (word === 'allOf' && list(asked.allOf).length === 1)
            ? list(asked[word])
            : undefined;
    if (more.length === 0 && asked.not !== undefined) return { excluded: [], needed: [asked.not] };
    if (!parts) return { excluded: [asked], needed: [] };
    const found = parts.map((each) => this.#negated(each, path, steps + 1));
    return {
      excluded: found.flatMap(({ excluded }) => excluded),
      needed: found.flatMap(({ needed }) => needed),
    };
  }

  #product(a: readonly JsonObject[], b: readonly JsonObject[], path: string): readonly JsonObject[] {
    if (a.length * b.length > maxAlternatives)
      throw refuse(
        `combines into ${a.length * b.length} alternatives; the limit is ${maxAlternatives}`,
        path,
        this.#param,
      );
    // Merging large objects takes its time too.
    this.#steps += Math.floor((a.length * b.length * (sizeOf(a[0]) + sizeOf(b[0]))) / 10);
    return a.flatMap((one) =>
      b.map((other) => mergeSchemas(one, other, this.#tests)).filter((merged) => merged !== undefined),
    );
  }

  /** `oneOf` is `anyOf` where no value fits two of them; where that cannot be seen, it is checked afterwards. */
  checkOneOf(options: readonly JsonValue[], path: string): void {
    const views = options.map((option) => this.#view(option, path));
    const clear =
      views.length <= 60 && views.every((view, index) => views.slice(0, index).every((other) => apart(view, other)));
    if (!clear) this.#loosen(path, 'oneOf');
  }

  #view(option: JsonValue, path: string): JsonObject | undefined {
    let schema = option;
    for (let steps = 0; steps < 20 && isJsonObject(schema) && typeof schema.$ref === 'string'; steps++)
      schema = this.resolve(schema.$ref, path).schema;
    return isJsonObject(schema) ? schema : undefined;
  }
}

/** `if` that always or never holds is one of its branches. */
function decided(schema: JsonObject): JsonObject {
  const { if: condition, then, else: otherwise, ...others } = schema;
  if (condition === undefined || !(isAnything(condition) || isNothing(condition))) return schema;
  const branch = isAnything(condition) ? then : otherwise;
  return branch === undefined ? others : { ...others, allOf: [...list(others.allOf), branch] };
}

/** Spelled as `joined` reads it. */
function withExcluded(schema: JsonObject, excluded: readonly JsonValue[]): JsonObject {
  const [only, ...more] = excluded;
  if (only === undefined) return schema;
  return { ...schema, not: more.length === 0 ? only : { all: excluded } };
}

function sizeOf(schema: JsonObject | undefined): number {
  return keys(schema?.properties).length;
}

/** Can it be seen that no value satisfies both? */
function apart(a: JsonObject | undefined, b: JsonObject | undefined): boolean {
  if (!a || !b || a === b) return false;
  const [fixedA, fixedB] = [fixed(a), fixed(b)];
  if (fixedA && fixedB) return !fixedA.some((one) => valueSet(fixedB).has(one));
  const [typesA, typesB] = [basicTypes(a, fixedA), basicTypes(b, fixedB)];
  if (typesA && typesB && !typesA.some((type) => typesB.includes(type))) return true;
  // A property that both require and that tells them apart.
  const [requiredA, requiredB] = [new Set(list(a.required)), new Set(list(b.required))];
  return (
    keys(a.properties).some((name) => {
      const needed = requiredA.has(name) && requiredB.has(name);
      const [one, other] = [member(a.properties, name), member(b.properties, name)];
      return needed && isJsonObject(one) && isJsonObject(other) && apart(one, other);
    }) ||
    closedApart(a, b) ||
    closedApart(b, a)
  );
}

/** `b` needs a property that the closed object `a` does not have. */
function closedApart(a: JsonObject, b: JsonObject): boolean {
  if (a.additionalProperties !== false || a.patternProperties !== undefined || a.type !== 'object') return false;
  const declared = new Set(keys(a.properties));
  return list(b.required).some((name) => !declared.has(String(name)));
}

function fixed(schema: JsonObject): readonly JsonValue[] | undefined {
  if (schema.const !== undefined) return [schema.const];
  return schema.enum === undefined ? undefined : list(schema.enum);
}

function basicTypes(schema: JsonObject, values: readonly JsonValue[] | undefined): readonly string[] | undefined {
  if (values) return values.map((value) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value));
  if (schema.type === undefined || schema.nullable === true) return undefined;
  return list(schema.type).map((type) => (type === 'integer' ? 'number' : String(type)));
}
