import type { JsonValue } from '../../contract/json.ts';
import { factored } from '../gbnf/factored.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { choice, repeat, rule, sequence } from '../gbnf/gbnf.ts';
import { complement, ofTexts, TooManyStates } from '../regex/automaton.ts';
import { anyOf, branchesOf, type Way } from './branches.ts';
import { jsonStyle, type MemberStyle, memberPlaces } from './json-containers.ts';
import { KeyTreeRules, noKeys, withKey } from './key-tree.ts';
import { isOpenObject, type ObjectShape, type Property } from './object-shape.ts';
import { keys, member } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import { StateIds } from './state-ids.ts';

/** How members are spelled. */
export interface MemberWriter {
  readonly style: MemberStyle;
  /** Values of different JSON types begin differently. */
  readonly byKind: boolean;
  /** A member up to the end of its name. */
  begin(name: string): string;
  /** What comes after it; undefined: no value fits. */
  rest(property: Pick<Property, 'name' | 'schema' | 'path'>): Expression | undefined;
  /** A member with any name but these, where schemas allow them; undefined: there is none. */
  further(excluded: readonly string[], schema: JsonValue, path: string): Expression | undefined;
}

export function jsonMembers(compiler: SchemaRules): MemberWriter {
  const { json } = compiler;
  return {
    style: jsonStyle(json),
    byKind: true,
    begin: (name) => json.keyText(name),
    rest({ schema, path }) {
      const value = compiler.inner(schema, path);
      return value && sequence(json.blank, value);
    },
    further(excluded, schema, path) {
      const names = excluded.length === 0 ? undefined : json.book.explore(() => complement(ofTexts(excluded, 4_000)));
      const value = names || excluded.length === 0 ? compiler.inner(schema, path) : undefined;
      return value && sequence(json.keyOf(names), value);
    },
  };
}

/** One of the objects, and the members that may still come in it. */
interface Place {
  /** Equal for places from which the same may come. */
  readonly id: string;
  readonly option: Option;
  readonly at: number;
}

type Places = ReadonlyMap<string, Place>;

interface Option {
  readonly properties: readonly Property[];
  readonly names: ReadonlySet<string>;
  /** Places from this on may be the last. */
  readonly mayEndFrom: number;
  readonly mayBeEmpty: boolean;
  /** Of members that are not declared. */
  readonly further: JsonValue | undefined;
  readonly ids: readonly string[];
}

/** So often several of the objects can still be meant; made-up unions multiply. */
const maxStates = 300;

/**
 * One of several objects, such that one reading is open at a time: as long as more than one of them can be meant, what
 * comes next is what may come next in any. Where they combine in too many ways, any of their members in any order.
 * undefined: no object fits.
 */
export function objectUnionRules(
  compiler: SchemaRules,
  shapes: readonly ObjectShape[],
  path: string,
  writer: MemberWriter,
): Expression | undefined {
  try {
    return new ObjectUnion(compiler, path, writer).rules(shapes);
  } catch (error) {
    if (!(error instanceof TooManyStates)) throw error;
    compiler.loosen(path, 'anyOf');
    return new ObjectUnion(compiler, path, writer).anyMembers(shapes);
  }
}

class ObjectUnion {
  #compiler: SchemaRules;
  #path: string;
  #writer: MemberWriter;
  #trees: KeyTreeRules;
  /** Rules of what may come after a member, by where it may stand. */
  #behind = new Map<string, Expression>();
  /** The same where only one of the objects can be meant. */
  #alones = new Map<string, Expression>();
  #ids = new StateIds();

  constructor(compiler: SchemaRules, path: string, writer: MemberWriter) {
    this.#compiler = compiler;
    this.#path = path;
    this.#writer = writer;
    this.#trees = new KeyTreeRules(compiler.json.book, 'name');
  }

  rules(shapes: readonly ObjectShape[]): Expression | undefined {
    const { open, close, closeEmpty } = this.#writer.style;
    const options = shapes.flatMap((shape) => this.#optionOf(shape) ?? []);
    const pick = this.#pick(placesAt(options, () => 0));
    const mayBeEmpty = options.some((option) => option.mayBeEmpty);
    if (pick) return sequence(open, choice(pick, ...(mayBeEmpty ? [closeEmpty] : [])));
    return mayBeEmpty ? sequence(open, options.length > 0 ? close : closeEmpty) : undefined;
  }

  anyMembers(shapes: readonly ObjectShape[]): Expression {
    const options = shapes.flatMap((shape) => this.#optionOf(shape) ?? []);
    const { kinds, json } = this.#compiler;
    const schemas = new Map<string, JsonValue[]>();
    const further = options.flatMap(({ further: rest }) => (rest === undefined ? [] : [rest]));
    for (const { properties } of options)
      for (const { name, schema } of properties) schemas.set(name, [...(schemas.get(name) ?? further), schema]);
    let tree = noKeys;
    for (const [name, several] of schemas) {
      const rest = this.#writer.rest({ name, schema: anyOf(kinds, several), path: this.#path });
      if (rest) tree = withKey(tree, this.#writer.begin(name), rest);
    }
    const pair =
      further.length === 0 ? undefined : this.#writer.further([...schemas.keys()], anyOf(kinds, further), this.#path);
    const pairs = [...(tree === noKeys ? [] : [this.#trees.write(tree)]), ...(pair ? [pair] : [])];
    const { open, between, close, closeEmpty } = this.#writer.style;
    if (pairs.length === 0) return sequence(open, closeEmpty);
    const one = json.book.define('pair', choice(...pairs));
    return sequence(open, choice(sequence(one, repeat(sequence(between, one), 0), close), closeEmpty));
  }

  #optionOf({ schema, properties: declared }: ObjectShape): Option | undefined {
    const needed = declared.filter(({ required }) => required).length;
    const min = Number(schema.minProperties ?? 0);
    const max = schema.maxProperties === undefined ? undefined : Number(schema.maxProperties);
    if (max !== undefined && (needed > max || min > max)) return undefined;
    if (declared.some(({ schema: asked, required }) => required && this.#compiler.kinds.of(asked).length === 0))
      return undefined;
    const properties = max === needed ? declared.filter(({ required }) => required) : declared;
    const further = max === needed ? undefined : this.#furtherOf(schema);
    if (further === undefined && properties.length < min) return undefined;
    if (max !== undefined && (further !== undefined || properties.length > max))
      this.#compiler.loosen(this.#path, 'maxProperties');
    if (min > Math.max(needed, 1)) this.#compiler.loosen(this.#path, 'minProperties');
    return {
      properties,
      names: new Set(declared.map(({ name }) => name)),
      mayEndFrom: properties.findLastIndex(({ required }) => required) + 1,
      mayBeEmpty: needed === 0 && min === 0,
      further,
      ids: this.#idsOf(
        properties,
        further === undefined
          ? ''
          : this.#compiler.kinds.keyOf(further) + JSON.stringify(declared.map(({ name }) => name)),
      ),
    };
  }

  /** All that members of other names may be; which name has which of them is left to the check afterwards. */
  #furtherOf(schema: ObjectShape['schema']): JsonValue | undefined {
    const patterns = keys(schema.patternProperties).map((pattern) => member(schema.patternProperties, pattern) ?? true);
    const rest = isOpenObject(schema) ? [schema.additionalProperties ?? true] : [];
    if (patterns.length > 0) this.#compiler.loosen(this.#path, 'patternProperties');
    if (schema.propertyNames !== undefined) this.#compiler.loosen(this.#path, 'propertyNames');
    return patterns.length + rest.length === 0 ? undefined : anyOf(this.#compiler.kinds, [...patterns, ...rest]);
  }

  /** Of every place, from the end on, and one more for the end. */
  #idsOf(properties: readonly Property[], end: string): readonly string[] {
    let id = this.#ids.of(`end ${end}`);
    const ids = [id];
    for (const { name, schema, required } of [...properties].reverse()) {
      id = this.#ids.of([JSON.stringify(name), this.#compiler.kinds.keyOf(schema), required, id].join());
      ids.push(id);
    }
    return ids.reverse();
  }

  /** The next member, without what stands before it, and all after it. */
  #pick(places: Places): Expression | undefined {
    const ending = [...places.values()].filter(({ option, at }) => at >= option.mayEndFrom);
    const open = ending.map(({ option }) => option).filter(({ further }) => further !== undefined);
    const named = new Map<string, Way<Place>[]>();
    for (const { option, at } of places.values()) addNext(named, option, at);
    for (const [name, ways] of named)
      for (const option of open)
        if (!option.names.has(name))
          ways.push({ schema: option.further ?? true, path: this.#path, place: lastPlace(option) });
    let tree = noKeys;
    for (const [name, ways] of named) {
      const behind = this.#member(name, ways);
      if (behind) tree = withKey(tree, this.#writer.begin(name), behind);
    }
    const options = [...(tree === noKeys ? [] : [this.#trees.write(tree)]), ...this.#further(open, named)];
    return options.length === 0 ? undefined : this.#compiler.json.book.define('pick', choice(...options));
  }

  /** Where only one of the objects can be meant. */
  #alone({ id, option, at }: Place): Expression {
    const known = this.#alones.get(id);
    if (known) return known;
    const { properties, names, further: rest } = option;
    const nothing = this.#compiler.json.book.define('nothing', choice());
    const pair = rest === undefined ? undefined : this.#writer.further([...names], rest, this.#path);
    const further = pair && { pair, min: 0, max: undefined };
    const members = properties.map((property) => ({
      begin: this.#writer.begin(property.name),
      // What nothing fits is a rule without texts: it is cut when the grammar is complete, with all that needs it.
      rest: this.#writer.rest(property) ?? nothing,
      required: property.required,
    }));
    const { behind } = memberPlaces(this.#compiler.json.book, members, this.#writer.style, further);
    for (const [index, expression] of behind.entries()) this.#alones.set(option.ids[index] ?? '', expression);
    return behind[at] ?? nothing;
  }

  #member(name: string, ways: readonly Way<Place>[]): Expression | undefined {
    const { branches, exact } = branchesOf(this.#compiler, ways, this.#writer);
    if (!exact) this.#compiler.loosen(this.#path, 'anyOf');
    const written = branches.flatMap(({ schema, path, places }) => {
      const rest = this.#writer.rest({ name, schema, path });
      return rest ? [sequence(rest, this.#after(places))] : [];
    });
    const { book } = this.#compiler.json;
    return written.length === 0 ? undefined : book.define('member', factored(book, 'value', written));
  }

  #further(open: readonly Option[], named: ReadonlyMap<string, unknown>): Expression[] {
    const [first, ...others] = open;
    if (!first) return [];
    const declared = [...first.names].filter((name) => others.every(({ names }) => names.has(name)));
    const schema = anyOf(
      this.#compiler.kinds,
      open.map(({ further }) => further ?? true),
    );
    const pair = this.#writer.further([...new Set([...named.keys(), ...declared])], schema, this.#path);
    const last = open.map(lastPlace);
    return pair ? [sequence(pair, this.#after(new Map(last.map((place) => [place.id, place]))))] : [];
  }

  /** What may come after a member. */
  #after(places: Places): Expression {
    const [only, ...others] = places.values();
    if (only && others.length === 0) return this.#alone(only);
    const key = [...places.keys()].sort().join();
    const known = this.#behind.get(key);
    if (known) return known;
    if (this.#behind.size >= maxStates) throw new TooManyStates();
    const { book } = this.#compiler.json;
    const name = book.reserve('after');
    this.#behind.set(key, rule(name));
    const { between, close } = this.#writer.style;
    const pick = this.#pick(places);
    const mayEnd = [...places.values()].some(({ option, at }) => at >= option.mayEndFrom);
    book.fill(name, choice(...(pick ? [sequence(between, pick)] : []), ...(mayEnd ? [close] : [])));
    return rule(name);
  }
}

function placesAt(options: readonly Option[], at: (option: Option) => number): Places {
  return new Map(options.map((option) => placeOf(option, at(option))).map((place) => [place.id, place]));
}

function placeOf(option: Option, at: number): Place {
  return { id: option.ids[at] ?? '', option, at };
}

function lastPlace(option: Option): Place {
  return placeOf(option, option.properties.length);
}

/** The members that may come next: optional ones may be left out. */
function addNext(named: Map<string, Way<Place>[]>, option: Option, from: number): void {
  for (const [index, { name, schema, path, required }] of option.properties.entries()) {
    if (index < from) continue;
    const ways = named.get(name) ?? [];
    ways.push({ schema, path, place: placeOf(option, index + 1) });
    named.set(name, ways);
    if (required) return;
  }
}
