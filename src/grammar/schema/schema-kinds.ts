import { ServeError } from '../../contract/errors.ts';
import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { isJsonObject } from '../../contract/json.ts';
import { list, withoutAnnotations } from './schema-merge.ts';
import { typesOf } from './schema-types.ts';

export type Kind = 'object' | 'array' | 'string' | 'number' | 'boolean' | 'null';

const allKinds: readonly Kind[] = ['object', 'array', 'string', 'number', 'boolean', 'null'];

/** What can be told of the schemas of one document without writing them. */
export class SchemaKinds {
  #resolve: (reference: string) => JsonValue;
  #keys = new WeakMap<object, string>();
  #numbers = new Map<string, string>();
  #known = new Map<string, readonly Kind[]>();
  #open = new Set<string>();
  /** Answers that rest on one which is not known yet. */
  #unsure = 0;

  constructor(resolve: (reference: string) => JsonValue) {
    this.#resolve = resolve;
  }

  /** Equal for schemas that are spelled alike but for annotations at their top. */
  keyOf(schema: JsonValue): string {
    if (!isJsonObject(schema)) return schema === false ? 'none' : 'any';
    const known = this.#keys.get(schema);
    if (known !== undefined) return known;
    const spelled = JSON.stringify(withoutAnnotations(schema));
    const key = this.#numbers.get(spelled) ?? `${this.#numbers.size}`;
    this.#numbers.set(spelled, key);
    this.#keys.set(schema, key);
    return key;
  }

  /** The kinds of JSON values that it may have, perhaps some more. The first character tells them apart. */
  of(schema: JsonValue): readonly Kind[] {
    if (!isJsonObject(schema)) return schema === false ? [] : allKinds;
    const key = this.keyOf(schema);
    const known = this.#known.get(key);
    if (known) return known;
    if (this.#open.has(key)) {
      this.#unsure++;
      return [];
    }
    this.#open.add(key);
    const before = this.#unsure;
    const found = this.#find(withoutAnnotations(schema));
    this.#open.delete(key);
    if (this.#unsure === before || this.#open.size === 0) this.#known.set(key, found);
    return found;
  }

  #find({ $ref: reference, allOf, anyOf, oneOf, ...own }: JsonObject): readonly Kind[] {
    const parts = [own.const === undefined && own.enum === undefined ? stated(own) : ofValues(own)];
    if (typeof reference === 'string') parts.push(this.#ofReference(reference));
    for (const each of list(allOf)) parts.push(this.of(each));
    for (const union of [anyOf, oneOf])
      if (union !== undefined) parts.push(list(union).flatMap((each) => this.of(each)));
    return allKinds.filter((kind) => parts.every((part) => part.includes(kind)));
  }

  /** One that leads nowhere is refused where it is written, with its place. */
  #ofReference(reference: string): readonly Kind[] {
    try {
      return this.of(this.#resolve(reference));
    } catch (error) {
      if (error instanceof ServeError) return allKinds;
      throw error;
    }
  }
}

function stated(schema: JsonObject): readonly Kind[] {
  const types = typesOf(schema);
  return types
    ? allKinds.filter((kind) => types.includes(kind) || (kind === 'number' && types.includes('integer')))
    : allKinds;
}

function ofValues(schema: JsonObject): readonly Kind[] {
  const values = schema.const === undefined ? list(schema.enum) : [schema.const];
  return values.map(kindOf);
}

export function kindOf(value: JsonValue): Kind {
  if (value === null) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'number') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  return Array.isArray(value) ? 'array' : 'object';
}
