import type { NamespacedCalls } from '../contract/chat-format.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../contract/json.ts';
import type { Expression } from './gbnf/gbnf.ts';
import { choice, either, empty, rule, sequence, text } from './gbnf/gbnf.ts';
import { withRoomForContained } from './schema/contains.ts';
import { memberRules } from './schema/json-containers.ts';
import { objectShape, type Property } from './schema/object-shape.ts';
import { type Kind, kindsOf, ofType, plainTexts } from './schema/plain-values.ts';
import { keys, tuple } from './schema/schema-merge.ts';
import type { SchemaRules } from './schema/schema-rules.ts';
import { unionRules } from './schema/unions.ts';

/**
 * Values as the namespaced families write them: `namespace<name>value namespace</name>`, objects as tags of their
 * members, arrays as tags `item`. An object or array that could be mistaken is written as JSON, which is read as well:
 * where a text may stand, where there are several of its kind to choose from, and where names are free (no grammar can
 * ask for the same free name twice).
 */
export class NestedTags {
  readonly #compiler: SchemaRules;
  readonly #namespace: string;
  #known = new Map<string, { name?: string; written?: Expression | undefined }>();

  constructor(compiler: SchemaRules, { namespace }: NamespacedCalls) {
    this.#compiler = compiler;
    this.#namespace = namespace;
  }

  begin(name: string): string {
    return `${this.#namespace}<${name}>`;
  }

  /** What stands after the opening tag of a member or item; undefined: no value fits. */
  rest({ name, schema, path }: Pick<Property, 'name' | 'schema' | 'path'>): Expression | undefined {
    const value = isTagName(name, this.#namespace) ? this.#value(schema, path) : undefined;
    return value && sequence(value, text(`${this.#namespace}</${name}>`));
  }

  #value(schema: JsonValue, path: string): Expression | undefined {
    const key = JSON.stringify(schema);
    const known = this.#known.get(key);
    if (known && 'written' in known) return known.written;
    if (known) {
      known.name ??= this.#compiler.json.book.reserve('tagged');
      return rule(known.name);
    }
    const own: { name?: string; written?: Expression | undefined } = {};
    this.#known.set(key, own);
    const written = this.#write(schema, path);
    const { book } = this.#compiler.json;
    if (own.name === undefined) own.written = written && book.define('tagged', written);
    else {
      book.fill(own.name, written ?? choice());
      own.written = rule(own.name);
    }
    return own.written;
  }

  #write(schema: JsonValue, path: string): Expression | undefined {
    const compiler = this.#compiler;
    const kinds = kindsOf(compiler, schema, path);
    const isMixed = kinds.some(({ names }) => names.some((name) => name !== 'string'));
    // A reader goes by what the schema says, also where it can be told that no text fits.
    const saysText = isJsonObject(schema) && compiler.kinds.of(schema).includes('string');
    const mayBeText = saysText || kinds.some(({ names }) => names.includes('string'));
    const counts = { object: 0, array: 0 };
    for (const { names } of kinds) for (const name of names) if (name === 'object' || name === 'array') counts[name]++;
    const writing = { spelling: 'raw' as const, hint: 'text', without: this.#namespace, notJson: isMixed };
    for (const { plain, types } of kinds) if (types.length > 0) compiler.noteUnchecked(plain, path);
    const options: (Expression | undefined)[] = kinds.flatMap((kind) => [
      ...plainTexts(kind, writing),
      ...otherValues(compiler, kind),
    ]);
    const texts = ofType(kinds, path, (type) => type === 'string');
    if (texts.length > 0) options.push(compiler.texts(texts, path, writing));
    const tagged = new Set<string>();
    const add = (found: Expression | undefined) => {
      options.push(found);
      return found !== undefined;
    };
    for (const { plain, types } of mayBeText ? [] : kinds) {
      if (types.includes('array') && counts.array === 1 && add(this.#items(plain, path))) tagged.add('array');
      const isOnlyObject = counts.object === 1 && counts.array === 0;
      if (types.includes('object') && isOnlyObject && add(this.#members(plain, path))) tagged.add('object');
    }
    const asJson = ofType(kinds, path, (type) => type !== 'string' && !tagged.has(type));
    options.push(unionRules(compiler, asJson, path));
    return either(options);
  }

  #members(plain: JsonObject, path: string): Expression | undefined {
    const rest = plain.additionalProperties ?? (plain.unevaluatedProperties === false ? false : undefined);
    const isClosed = rest === false || (rest === undefined && keys(plain.properties).length > 0);
    const isCounted = plain.minProperties !== undefined || plain.maxProperties !== undefined;
    const isOpen = !isClosed || keys(plain.patternProperties).length > 0 || plain.propertyNames !== undefined;
    const { properties } = objectShape(this.#compiler, plain, path);
    const areNames = properties.every(({ name }) => name !== 'item' && isTagName(name, this.#namespace));
    return isOpen || isCounted || !areNames ? undefined : this.#tags(properties);
  }

  /** The tags of an object's members, one after the other; undefined: a required one fits nothing. */
  #tags(properties: readonly Property[]): Expression | undefined {
    const style = { open: empty, between: empty, close: empty, closeEmpty: empty };
    const members = properties.map((property) => ({ ...property, rest: this.rest(property) }));
    if (members.some(({ rest, required }) => required && !rest)) return undefined;
    const possible = members.flatMap(({ name, rest, required }) =>
      rest ? [{ begin: this.begin(name), rest, required }] : [],
    );
    return memberRules(this.#compiler.json.book, possible, style);
  }

  #items(array: JsonObject, path: string): Expression | undefined {
    const plain = withRoomForContained(this.#compiler, { plain: array, path })?.plain;
    if (!plain) return undefined;
    const { prefix, rest } = tuple(plain);
    if (prefix.length > 0 || rest === undefined) return undefined;
    const behind = this.rest({ name: 'item', schema: rest, path: `${path}/items` });
    if (!behind) return undefined;
    const item = sequence(text(this.begin('item')), behind);
    const min = Number(plain.minItems ?? 0);
    const max = plain.maxItems === undefined ? undefined : Number(plain.maxItems);
    if (max !== undefined && max < min) return undefined;
    if (plain.uniqueItems === true && max !== 0 && max !== 1) this.#compiler.loosen(path, 'uniqueItems');
    const { expression, exact } = this.#compiler.json.book.nestedCount('items', item, min, max);
    if (!exact) this.#compiler.loosen(path, 'maxItems');
    return expression;
  }
}

function otherValues({ json }: SchemaRules, { values }: Kind): Expression[] {
  return values.filter((value) => typeof value !== 'string').map((value) => json.literal(value));
}

/** What a reader takes for the whole name of a tag. */
function isTagName(name: string, namespace: string): boolean {
  return /^[^\s/>][^>\n]*$/.test(name) && name.trim() === name && name.length <= 180 && !name.includes(namespace);
}
