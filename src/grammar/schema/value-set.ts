import { isJsonObject, type JsonValue } from '../../contract/json.ts';

/** Values of JSON by how they are spelled: equal as JSON Schema has it, where the order of keys does not matter. */
export class ValueSet {
  readonly #spellings: ReadonlySet<string>;

  constructor(values: readonly JsonValue[]) {
    this.#spellings = new Set(values.map(spelled));
  }

  /** Without repetitions. */
  get size(): number {
    return this.#spellings.size;
  }

  has(value: JsonValue): boolean {
    return this.#spellings.has(spelled(value));
  }
}

const known = new WeakMap<readonly JsonValue[], ValueSet>();

/** Made once for each list: a schema's is asked again for every value, and clients write both. */
export function valueSet(values: readonly JsonValue[]): ValueSet {
  const set = known.get(values) ?? new ValueSet(values);
  known.set(values, set);
  return set;
}

function spelled(value: JsonValue): string {
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return `[${value.map(spelled).join()}]`;
  if (!isJsonObject(value)) return JSON.stringify(value);
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${JSON.stringify(name)}:${spelled(value[name] ?? null)}`).join()}}`;
}
