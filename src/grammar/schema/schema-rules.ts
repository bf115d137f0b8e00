import type { JsonObject, JsonValue } from '../../contract/json.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import type { PatternTests } from '../regex/pattern-test.ts';
import type { Writing } from './automaton-rules.ts';
import type { JsonRules } from './json-rules.ts';
import type { SchemaExpander } from './schema-expander.ts';
import type { SchemaKinds } from './schema-kinds.ts';
import type { Alternative, Placed } from './schema-types.ts';

/**
 * What the writers of the kinds of values (objects, arrays, numbers, unions) ask of the compiler that calls them.
 * `undefined` in place of an expression stands for a schema that no value satisfies; a path is a pointer into the document.
 */
export interface SchemaRules {
  readonly json: JsonRules;
  /** The request field that holds the document, for errors. */
  readonly param: string;
  /** The whole document. */
  readonly root: JsonValue;
  readonly expander: SchemaExpander;
  readonly kinds: SchemaKinds;
  readonly tests: PatternTests;
  /** Notes that a keyword is not ensured. `problem`: why it is not even checked afterwards. */
  loosen(path: string, keyword: string, problem?: string): void;
  noteUnchecked(schema: JsonObject, path: string): void;
  /** Values of the schema, spelled as JSON. */
  value(schema: JsonValue, path: string): Expression | undefined;
  /** A value inside an array or object: whoever mentions the outer schema from there is no left recursion. */
  inner(schema: JsonValue, path: string): Expression | undefined;
  /** Schemas as alternatives without references and combinators, none twice. */
  alternatives(schemas: readonly Placed[]): readonly Alternative[];
  /** The values of `enum` or `const` that fit everything else the schema says; undefined: it has neither. */
  fixedValues(schema: JsonObject): readonly JsonValue[] | undefined;
  literals(values: readonly JsonValue[], path: string): Expression | undefined;
  /** The scalar values of a schema that lists all that it allows; undefined: it does not. */
  literalsOf(schema: JsonValue, path: string): readonly JsonValue[] | undefined;
  /** The characters of a string that may be one of these; what cannot be said is noted. */
  texts(alternatives: readonly Alternative[], path: string, writing: Writing): Expression | undefined;
  /** One array. */
  array(schema: JsonObject, path: string): Expression | undefined;
}
