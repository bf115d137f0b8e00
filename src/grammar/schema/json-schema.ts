import type { ServeError } from '../../contract/errors.ts';
import type { JsonValue } from '../../contract/json.ts';
import { withoutEndlessRules } from '../gbnf/cut-endless-rules.ts';
import { flatten } from '../gbnf/flat-rules.ts';
import type { Expression } from '../gbnf/gbnf.ts';
import { checkRules } from '../gbnf/gbnf-check.ts';
import { patternProblem } from '../regex/pattern-test.ts';
import type { JsonRules } from './json-rules.ts';
import { RuleBook } from './rule-book.ts';
import type { Loosened } from './schema-compiler.ts';
import { SchemaCompiler } from './schema-compiler.ts';
import { resolveReference } from './schema-references.ts';
import { allSchemas, checkSchemaWords, patternsOf, refuse } from './schema-words.ts';

export interface SchemaRules {
  readonly rules: Expression;
  /** What the grammar does not ensure, so that it has to be checked afterwards; see validate.ts. */
  readonly loosened: readonly Loosened[];
}

/** Characters of GBNF. llama.cpp reads a grammar anew for every answer, on the thread that serves everybody. */
const maxGrammarLength = 400_000;

/**
 * JSON Schema -> rules. The text is one JSON value with bounded whitespace; properties come in the schema's order,
 * optional ones in any combination, then further ones. Objects that declare properties and say nothing about others
 * are taken as closed. Throws ServeError invalid_request that names path and keyword: for what is no JSON Schema, for
 * references that lead out of the document, for schemas that no value satisfies, and for those that explode. `param` is
 * the request's field that holds the schema.
 */
export function schemaRules(schema: JsonValue, json: JsonRules, param: string): SchemaRules {
  checkDocument(schema, param);
  const compiler = new SchemaCompiler(schema, json, param);
  const rules = compiler.value(schema, '#');
  const grammar = rules && withoutEndlessRules(json.book.grammar(rules));
  if (!rules || !grammar) throw fitsNothing(param);
  checkRules(flatten(grammar, param), param);
  return { rules, loosened: compiler.loosened };
}

export function fitsNothing(param: string): ServeError {
  return refuse('fits no value at all; look for limits that exclude each other', '#', param);
}

/** Refuses what is no JSON Schema, and what a document that an answer must fit may not hold. */
function checkDocument(schema: JsonValue, param: string): void {
  checkSchemaWords(schema, param);
  for (const { schema: each, path } of allSchemas(schema)) {
    if (typeof each.$ref === 'string') resolveReference(schema, each.$ref, { path, param });
    for (const [word, pattern] of patternsOf(each)) {
      const problem = patternProblem(pattern);
      if (problem !== undefined)
        throw refuse(
          `needs a regular expression for "${word}", not ${JSON.stringify(pattern)}: ${problem}`,
          path,
          param,
        );
    }
  }
}

export function newBook(param: string): RuleBook {
  return new RuleBook({
    characters: maxGrammarLength,
    message: `The grammar for this request would be longer than ${maxGrammarLength} characters; use smaller schemas or fewer tools.`,
    param,
  });
}
