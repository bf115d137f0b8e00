import type { JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { kindOf, type SchemaKinds } from './schema-kinds.ts';
import type { SchemaRules } from './schema-rules.ts';

/** One of several schemas that the next value may have, and where the text stands after it. */
export interface Way<Place> {
  readonly schema: JsonValue;
  readonly path: string;
  readonly place: Place;
}

export interface Branch<Place> {
  readonly schema: JsonValue;
  readonly path: string;
  /** By what they are known by: equal places go on alike. */
  readonly places: ReadonlyMap<string, Place>;
}

export interface BranchOptions {
  /** Values of different JSON types begin differently. */
  readonly byKind: boolean;
}

/** More literals than this are not taken apart. */
const maxLiterals = 1_000;

/**
 * The ways that the next value tells apart, each with all places it may lead to. Where two schemas share values they
 * become one, which forgets which of them it was: `exact` is false where that matters.
 */
export function branchesOf<Place extends { readonly id: string }>(
  compiler: SchemaRules,
  ways: readonly Way<Place>[],
  options: BranchOptions,
): { readonly branches: readonly Branch<Place>[]; readonly exact: boolean } {
  const distinct = bySchema(compiler.kinds, ways);
  const [first] = distinct;
  if (!first) return { branches: [], exact: true };
  if (distinct.length === 1 || distinct.every(({ places }) => sameKeys(places, first.places)))
    return { branches: [together(compiler.kinds, distinct)], exact: true };
  const literals = byLiteral(compiler, distinct);
  if (literals) return { branches: literals, exact: true };
  const groups = options.byKind ? byKind(compiler, distinct) : [distinct];
  if (groups.length === 1) return { branches: [together(compiler.kinds, distinct)], exact: false };
  const found = groups.map((group) => branchesOf(compiler, group.flatMap(waysOf), options));
  return { branches: found.flatMap(({ branches }) => branches), exact: found.every(({ exact }) => exact) };
}

function bySchema<Place extends { readonly id: string }>(
  kinds: SchemaKinds,
  ways: readonly Way<Place>[],
): readonly Branch<Place>[] {
  const found = new Map<string, Branch<Place> & { readonly places: Map<string, Place> }>();
  for (const { schema, path, place } of ways) {
    const key = kinds.keyOf(schema);
    const branch = found.get(key) ?? { schema, path, places: new Map<string, Place>() };
    branch.places.set(place.id, place);
    found.set(key, branch);
  }
  return [...found.values()];
}

function waysOf<Place>({ schema, path, places }: Branch<Place>): readonly Way<Place>[] {
  return [...places.values()].map((place) => ({ schema, path, place }));
}

/** One branch for all. */
function together<Place>(kinds: SchemaKinds, branches: readonly Branch<Place>[]): Branch<Place> {
  const [first] = branches;
  return {
    schema: anyOf(
      kinds,
      branches.map(({ schema }) => schema),
    ),
    path: first?.path ?? '#',
    places: new Map(branches.flatMap(({ places }) => [...places])),
  };
}

/** Flat, sorted and without repetition: schemas that mention each other come back to the same few unions. */
export function anyOf(kinds: SchemaKinds, schemas: readonly JsonValue[]): JsonValue {
  const options = schemas.flatMap((each) =>
    isJsonObject(each) && Array.isArray(each.anyOf) && Object.keys(each).length === 1 ? each.anyOf : [each],
  );
  const distinct = new Map(options.map((each: JsonValue) => [kinds.keyOf(each), each] as const));
  const sorted = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, each]) => each);
  const [only] = sorted;
  return sorted.length === 1 && only !== undefined ? only : { anyOf: sorted };
}

function sameKeys(a: ReadonlyMap<string, unknown>, b: ReadonlyMap<string, unknown>): boolean {
  return a.size === b.size && [...a.keys()].every((key) => b.has(key));
}

/** A branch for each value, where all schemas are lists of values; undefined: they are not. */
function byLiteral<Place>(
  compiler: SchemaRules,
  branches: readonly Branch<Place>[],
): readonly Branch<Place>[] | undefined {
  const found = new Map<string, Branch<Place> & { readonly places: Map<string, Place> }>();
  for (const { schema, path, places } of branches) {
    const values = compiler.literalsOf(schema, path);
    if (!values || values.length + found.size > maxLiterals) return undefined;
    for (const value of values) {
      const key = JSON.stringify(value);
      const branch = found.get(key) ?? { schema: { const: value }, path, places: new Map<string, Place>() };
      for (const [id, place] of places) branch.places.set(id, place);
      found.set(key, branch);
    }
  }
  return [...found.values()];
}

/** Groups that have no kind of value in common. */
function byKind<Place>(compiler: SchemaRules, branches: readonly Branch<Place>[]): readonly Branch<Place>[][] {
  return groupedBy(branches, ({ schema }) => compiler.kinds.of(schema));
}

/** Items in groups such that no two groups share a mark. */
export function groupedBy<Item, Mark>(items: readonly Item[], marksOf: (item: Item) => readonly Mark[]): Item[][] {
  let groups: { items: Item[]; marks: Set<Mark> }[] = [];
  for (const item of items) {
    const marks = new Set(marksOf(item));
    const touched = groups.filter((group) => [...marks].some((mark) => group.marks.has(mark)));
    groups = groups.filter((group) => !touched.includes(group));
    groups.push({
      items: [...touched.flatMap((group) => group.items), item],
      marks: new Set([...touched.flatMap((group) => [...group.marks]), ...marks]),
    });
  }
  return groups.map((group) => group.items);
}

export function isScalar(value: JsonValue): boolean {
  const kind = kindOf(value);
  return kind !== 'object' && kind !== 'array';
}
