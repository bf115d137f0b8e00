import type { NamespacedCalls } from '../contract/chat-format.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import { memberRules } from './containers.ts';
import type { Expression } from './gbnf.ts';
import { choice, empty, rule, sequence, text } from './gbnf.ts';
import type { ObjectShape } from './object-shape.ts';
import { objectShape } from './object-shape.ts';
import { type Kind, kindsOf, plainTexts } from './plain-values.ts';
import type { SchemaCompiler } from './schema-compiler.ts';
import { keys, tuple } from './schema-merge.ts';

/**
 * Values as the namespaced families write them: `namespace<name>value namespace</name>`, objects as tags of their
 * members, arrays as tags `item`. An object or array that could be mistaken is written as JSON, which is read as well:
 * where a text may stand, where there are several of its kind to choose from, and where names are free (no grammar can
 * ask for the same free name twice).
 */
export class NestedTags {
  readonly #compiler: SchemaCompiler;
  readonly #namespace: string;
  #known = new Map<string, { name?: string; written?: Expression | undefined }>();

  constructor(compiler: SchemaCompiler, { namespace }: NamespacedCalls) {
    this.#compiler = compiler;
    this.#namespace = namespace;
  }

  /** One member or item with its tags; undefined: no value fits. */
  tag(name: string, schema: JsonValue, path: string): Expression | undefined {
    const value = isTagName(name, this.#namespace) ? this.#value(schema, path) : undefined;
    const [open, close] = [`${this.#namespace}<${name}>`, `${this.#namespace}</${name}>`];
    return value && sequence(text(open), value, text(close));
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
    const mayBeText = kinds.some(({ names }) => names.includes('string'));
    const counts = { object: 0, array: 0 };
    for (const { names } of kinds) for (const name of names) if (name === 'object' || name === 'array') counts[name]++;
    const options: Expression[] = [];
    for (const kind of kinds) {
      const { plain, types } = kind;
      if (types.length > 0) compiler.noteUnchecked(plain, path);
      const writing = { spelling: 'raw' as const, hint: 'text', without: this.#namespace, notJson: isMixed };
      options.push(...plainTexts(kind, writing), ...otherValues(compiler, kind));
      for (const type of types) {
        if (type === 'string') {
          const found = compiler.text(plain, path, writing);
          if (found) options.push(found);
          continue;
        }
        const isAlone =
          !mayBeText && (type === 'array' ? counts.array === 1 : counts.object === 1 && counts.array === 0);
        const tags = isAlone ? this.#tags(type, plain, path) : undefined;
        const found = tags ?? compiler.inner({ ...plain, type }, path);
        if (found) options.push(found);
      }
    }
    return options.length === 0 ? undefined : choice(...options);
  }

  /** undefined: it is no object or array, or cannot be written in tags. */
  #tags(type: string, plain: JsonObject, path: string): Expression | undefined {
    if (type === 'array') return this.#items(plain, path);
    return type === 'object' ? this.#members(plain, path) : undefined;
  }

  #members(plain: JsonObject, path: string): Expression | undefined {
    const rest = plain.additionalProperties ?? (plain.unevaluatedProperties === false ? false : undefined);
    const isClosed = rest === false || (rest === undefined && keys(plain.properties).length > 0);
    const isCounted = plain.minProperties !== undefined || plain.maxProperties !== undefined;
    const isOpen = !isClosed || keys(plain.patternProperties).length > 0 || plain.propertyNames !== undefined;
    const { properties } = objectShape(this.#compiler, plain, path);
    const areNames = properties.every(({ name }) => name !== 'item' && isTagName(name, this.#namespace));
    return isOpen || isCounted || !areNames ? undefined : this.members(properties);
  }

  /** The tags of an object's members, one after the other; undefined: a required one fits nothing. */
  members(properties: ObjectShape['properties']): Expression | undefined {
    const style = { open: empty, between: empty, close: empty, closeEmpty: empty };
    const members = properties.map(({ name, schema, path, required }) => ({
      pair: this.tag(name, schema, path),
      required,
    }));
    if (members.some(({ pair, required }) => required && !pair)) return undefined;
    const possible = members.flatMap(({ pair, required }) => (pair ? [{ pair, required }] : []));
    return memberRules(this.#compiler.json.book, possible, style);
  }

  #items(plain: JsonObject, path: string): Expression | undefined {
    const { prefix, rest } = tuple(plain);
    if (prefix.length > 0 || rest === undefined) return undefined;
    const item = this.tag('item', rest, `${path}/items`);
    if (!item) return undefined;
    const min = Number(plain.minItems ?? 0);
    const max = plain.maxItems === undefined ? undefined : Number(plain.maxItems);
    if (max !== undefined && max < min) return undefined;
    if (plain.uniqueItems === true && max !== 0 && max !== 1) this.#compiler.loosen(path, 'uniqueItems');
    return this.#compiler.json.book.count('items', item, min, max);
  }
}

function otherValues({ json }: SchemaCompiler, { values }: Kind): Expression[] {
  return values.filter((value) => typeof value !== 'string').map((value) => json.literal(value));
}

/** What a reader takes for the whole name of a tag. */
function isTagName(name: string, namespace: string): boolean {
  return /^[^\s/>][^>\n]*$/.test(name) && name.trim() === name && name.length <= 180 && !name.includes(namespace);
}
