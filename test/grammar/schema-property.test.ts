import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { fits } from '../../src/grammar/gbnf/grammar-walker.ts';
import { isValid } from '../../src/grammar/schema/validate.ts';
import { runs } from '../support/runs.ts';
import { recursiveSchemas, recursiveValues } from './random-recursion.ts';
import { type SchemaAndValues, schemas } from './random-schema.ts';
import { randomText } from './random-text.ts';
import { schemaToGrammar } from './schema-grammar.ts';

const ajv = new Ajv2020.default({ strict: false, logger: false, code: { optimize: false } });
addFormats.default(ajv);

/** undefined: no value fits at all, or the schema is beyond a limit; both are said with a sentence. */
function grammarOf(schema: JsonValue) {
  try {
    const { grammar, loosened } = schemaToGrammar(schema);
    return { grammar: checkGrammar(grammar), loosened };
  } catch (error) {
    if (error instanceof ServeError) return undefined;
    throw error;
  }
}

describe('random schemas', { timeout: 60_000 }, () => {
  it('every text of the grammar fits the schema', () => {
    let checked = 0;
    fc.assert(
      fc.property(
        fc.oneof({ weight: 2, arbitrary: schemas }, recursiveSchemas).map(({ schema }) => schema),
        fc.infiniteStream(fc.nat()),
        (schema, numbers) => {
          const made = grammarOf(schema);
          if (!made) return;
          const text = randomText(made.grammar, (limit) => (numbers.next().value ?? 0) % limit);
          const value: unknown = JSON.parse(text);
          expect(fits(made.grammar, text)).toBe(true);
          if (made.loosened.length > 0) return;
          checked++;
          const validate = ajv.compile(Object(schema));
          expect([text, validate(value), validate.errors]).toEqual([text, true, null]);
        },
      ),
      { numRuns: runs(45) },
    );
    expect(checked).toBeGreaterThan(10);
  });

  it('every value that fits the schema is a text of the grammar', () => {
    let checked = 0;
    const pairs = fc
      .oneof({ weight: 2, arbitrary: schemas }, recursiveValues)
      .chain((pair: SchemaAndValues) => fc.tuple(fc.constant(pair.schema), pair.values));
    fc.assert(
      fc.property(pairs, ([schema, value]) => {
        const valid = ajv.validate(Object(schema), value);
        expect([value, isValid(schema, value)]).toEqual([value, valid]);
        if (!valid) return;
        const made = grammarOf(schema);
        const text = JSON.stringify(value);
        // Bounded numbers do without an exponent, and none is larger than 1e308.
        if (/\de-|e\+308/.test(text)) return;
        checked++;
        expect([text, made !== undefined && fits(made.grammar, text)]).toEqual([text, true]);
      }),
      { numRuns: runs(90) },
    );
    expect(checked).toBeGreaterThan(10);
  });
});
