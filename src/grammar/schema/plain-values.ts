import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { text } from '../gbnf/gbnf.ts';
import type { Writing } from './automaton-rules.ts';
import { kindOf } from './schema-kinds.ts';
import type { SchemaRules } from './schema-rules.ts';
import { type Alternative, typesOf } from './schema-types.ts';

/** One of the things that a value outside of JSON may be: one of these values, or anything of these types. */
export interface Kind {
  readonly plain: JsonObject;
  readonly values: readonly JsonValue[];
  readonly types: readonly string[];
  /** The JSON types of both. */
  readonly names: readonly string[];
}

/** A schema that does not say is answered in plain text. */
export function kindsOf(compiler: SchemaRules, schema: JsonValue, path: string): readonly Kind[] {
  return compiler.alternatives([{ schema, path }]).map(({ plain }) => {
    const values = compiler.fixedValues(plain);
    const types = values ? [] : (typesOf(plain) ?? ['string']);
    return { plain, values: values ?? [], types, names: [...types, ...(values ?? []).map(kindOf)] };
  });
}

/** The fixed texts of a kind, as they stand; those that would be read as something else are left out. */
export function plainTexts({ values }: Kind, { without = '', notJson }: Writing): Expression[] {
  const texts = values.filter((value) => typeof value === 'string');
  const isRead = (value: string) => !(without !== '' && value.includes(without)) && !(notJson && looksLikeJson(value));
  return texts.filter(isRead).map((value) => text(value));
}

function looksLikeJson(value: string): boolean {
  return /^\s*(?:[{[][\s\S]*|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|True|False|None)\s*$/.test(value);
}

/** The kinds whose values are of this type; the others. */
export function ofType(
  kinds: readonly Kind[],
  path: string,
  isWanted: (type: string) => boolean,
): readonly Alternative[] {
  return kinds.flatMap(({ plain, types }) => {
    const wanted = types.filter(isWanted);
    return wanted.length === 0 ? [] : [{ plain: { ...plain, type: wanted }, path }];
  });
}
