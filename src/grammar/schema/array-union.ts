import type { JsonValue } from '../../contract/json.ts';
import { factored } from '../gbnf/factored.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { choice, rule, sequence, text } from '../gbnf/gbnf.ts';
import { TooManyStates } from '../regex/automaton.ts';
import { anyOf, branchesOf } from './branches.ts';
import { tuple } from './schema-merge.ts';
import type { SchemaRules } from './schema-rules.ts';
import type { Alternative } from './schema-types.ts';
import { StateIds } from './state-ids.ts';

/** One of the arrays, with so many items written. */
interface Place {
  readonly id: string;
  readonly option: Option;
  readonly count: number;
}

type Places = ReadonlyMap<string, Place>;

interface Option {
  readonly prefix: readonly JsonValue[];
  /** Of all further items; undefined: there are none. */
  readonly rest: JsonValue | undefined;
  readonly min: number;
  readonly max: number | undefined;
  readonly path: string;
  /** Of places, by count. */
  readonly ids: readonly string[];
}

const maxStates = 300;
/** Larger counts are not kept apart in a union. */
const maxCounted = 32;

/**
 * One of several arrays, such that one reading is open at a time; where they combine in too many ways, any of their items
 * in any order. undefined: no array fits.
 */
export function arrayUnionRules(
  compiler: SchemaRules,
  arrays: readonly Alternative[],
  path: string,
): Expression | undefined {
  try {
    return new ArrayUnion(compiler, path).rules(arrays);
  } catch (error) {
    if (!(error instanceof TooManyStates)) throw error;
    compiler.loosen(path, 'anyOf');
    const items = arrays.flatMap(({ plain }) => [...tuple(plain).prefix, tuple(plain).rest ?? true]);
    return compiler.array({ type: 'array', items: anyOf(compiler.kinds, items) }, path);
  }
}

class ArrayUnion {
  #compiler: SchemaRules;
  #path: string;
  #behind = new Map<string, Expression>();
  /** Places where several of the arrays can still be meant. */
  #together = 0;
  #ids = new StateIds();

  constructor(compiler: SchemaRules, path: string) {
    this.#compiler = compiler;
    this.#path = path;
  }

  rules(arrays: readonly Alternative[]): Expression | undefined {
    const { json } = this.#compiler;
    const options = arrays.flatMap((each) => this.#optionOf(each) ?? []);
    const places = placesOf(options.map((option) => placeOf(option, 0)));
    const item = this.#item(places);
    const end = options.some(({ min }) => min === 0) ? [text(']')] : [];
    if (!item && end.length === 0) return undefined;
    return sequence(text('['), json.gap, choice(...(item ? [item] : []), ...end));
  }

  #optionOf({ plain: schema, path }: Alternative): Option | undefined {
    const { prefix, rest } = tuple(schema);
    const min = Number(schema.minItems ?? 0);
    const max = schema.maxItems === undefined ? undefined : Number(schema.maxItems);
    if (max !== undefined && max < min) return undefined;
    if (schema.uniqueItems === true && max !== 0 && max !== 1) this.#compiler.loosen(this.#path, 'uniqueItems');
    const isOpen = rest !== undefined || prefix.length === 0 || min > prefix.length;
    const most = prefix.length + maxCounted;
    if (max !== undefined && isOpen && max > most) this.#compiler.loosen(this.#path, 'maxItems');
    if (min > most) this.#compiler.loosen(this.#path, 'minItems');
    const last = isOpen ? max : Math.min(max ?? prefix.length, prefix.length);
    const option = {
      prefix,
      rest: isOpen ? (rest ?? true) : undefined,
      min: Math.min(min, most),
      max: last === undefined || last > most ? undefined : last,
      path,
    };
    return { ...option, ids: this.#idsOf(option) };
  }

  /** Of every count, from the last that is kept apart on. */
  #idsOf({ prefix, rest, min, max }: Omit<Option, 'ids'>): readonly string[] {
    const { kinds } = this.#compiler;
    const last = max ?? Math.max(prefix.length, min);
    let id = this.#ids.of(max === undefined && rest !== undefined ? `any number of ${kinds.keyOf(rest)}` : 'end');
    const ids = [id];
    for (let count = last - 1; count >= 0; count--) {
      id = this.#ids.of([kinds.keyOf(prefix[count] ?? rest ?? true), count >= min, id].join());
      ids.push(id);
    }
    return ids.reverse();
  }

  /** The next item and all after it. */
  #item(places: Places): Expression | undefined {
    const ways = [...places.values()].flatMap(({ option, count }) => {
      const { prefix, rest, max, path } = option;
      const schema = count === max ? undefined : (prefix[count] ?? rest);
      if (schema === undefined) return [];
      const where = count < prefix.length ? `${path}/prefixItems/${count}` : `${path}/items`;
      return [{ schema, path: where, place: placeOf(option, count + 1) }];
    });
    const { branches, exact } = branchesOf(this.#compiler, ways, { byKind: true });
    if (!exact) this.#compiler.loosen(this.#path, 'anyOf');
    const written = branches.flatMap(({ schema, path, places: next }) => {
      const value = this.#compiler.inner(schema, path);
      return value ? [sequence(value, this.#after(next))] : [];
    });
    return written.length === 0 ? undefined : factored(this.#compiler.json.book, 'item', written);
  }

  #after(places: Places): Expression {
    const key = [...places.keys()].sort().join();
    const known = this.#behind.get(key);
    if (known) return known;
    if (places.size > 1 && ++this.#together > maxStates) throw new TooManyStates();
    const { book, gap } = this.#compiler.json;
    const name = book.reserve('items');
    this.#behind.set(key, rule(name));
    const item = this.#item(places);
    const mayEnd = [...places.values()].some(({ option, count }) => count >= option.min);
    book.fill(
      name,
      choice(...(item ? [sequence(text(','), gap, item)] : []), ...(mayEnd ? [sequence(gap, text(']'))] : [])),
    );
    return rule(name);
  }
}

function placeOf(option: Option, count: number): Place {
  const at = Math.min(count, option.ids.length - 1);
  return { id: option.ids[at] ?? '', option, count: at };
}

function placesOf(places: readonly Place[]): Places {
  return new Map(places.map((place) => [place.id, place]));
}
