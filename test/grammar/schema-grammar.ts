import type { JsonValue } from '../../src/contract/json.ts';
import { constrain } from '../../src/grammar/constraint.ts';
import type { Loosened } from '../../src/grammar/schema/schema-compiler.ts';
import { chatFormats } from '../../src/output/detect-family.ts';

export interface SchemaGrammar {
  /** GBNF text with the rule `root`. */
  readonly grammar: string;
  readonly loosened: readonly Loosened[];
}

/** The grammar of a raw completion that must fit the schema. */
export function schemaToGrammar(schema: JsonValue): SchemaGrammar {
  const format = chatFormats.plain;
  if (!format) throw new Error('no such family');
  const { grammar = '', loosened } = constrain({
    format,
    opening: undefined,
    tools: [],
    toolChoice: { type: 'auto' },
    outputShape: { type: 'json-schema', schema },
    strictTools: false,
  });
  return { grammar, loosened: loosened.filter((each) => !('tool' in each)) };
}
