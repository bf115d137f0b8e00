import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { describe, expect, it } from 'vitest';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { fits } from '../../src/grammar/gbnf/grammar-walker.ts';
import { isValid } from '../../src/grammar/schema/validate.ts';
import { schemaToGrammar } from './schema-grammar.ts';
import type { SchemaCase } from './schema-table.ts';
import { schemaCases } from './schema-table.ts';
import { toolCases } from './tool-schemas.ts';

const all = [...schemaCases, ...toolCases];
const ajv = new Ajv2020.default({ strict: false, validateFormats: true, logger: false, code: { optimize: false } });
addFormats.default(ajv);

/** What ajv cannot judge: words of older drafts, and a loop of references (it never comes back). */
const olderDraft = new Set(['integer exclusive, draft 4', 'union that mentions itself']);

describe('schemas and the texts of their grammars', () => {
  it('has more than 120 of them', () => expect(new Set(all.map(({ name }) => name)).size).toBeGreaterThan(120));

  it.each(all.map((each) => [each.name, each] as const))('%s', (name, each: SchemaCase) => {
    const { grammar: source, loosened } = schemaToGrammar(each.schema);
    expect(loosened.map(({ path, keyword }) => `${path} ${keyword}`)).toEqual(each.loosened ?? []);
    const grammar = checkGrammar(source);
    const results = (values: readonly unknown[] = []) =>
      values.map((value) => [JSON.stringify(value).slice(0, 200), fits(grammar, JSON.stringify(value))]);
    const wanted = (values: readonly unknown[] = [], fit: boolean) =>
      values.map((value) => [JSON.stringify(value).slice(0, 200), fit]);
    expect(results(each.accepts)).toEqual(wanted(each.accepts, true));
    expect(results(each.refuses)).toEqual(wanted(each.refuses, false));
    expect(results(each.stricter)).toEqual(wanted(each.stricter, false));
    for (const text of each.acceptsText ?? []) expect([text, fits(grammar, text)]).toEqual([text, true]);
    for (const text of each.refusesText ?? []) expect([text, fits(grammar, text)]).toEqual([text, false]);

    // The table itself is checked by a validator that knows nothing of grammars, and so is our own.
    if (olderDraft.has(name)) return;
    const validate = ajv.compile(
      Object(each.schema) === each.schema ? { ...Object(each.schema), $schema: undefined } : each.schema === true,
    );
    const verdicts = (values: readonly unknown[] = []) => values.map((value) => [value, validate(value)]);
    expect(verdicts([...each.accepts, ...(each.stricter ?? [])])).toEqual(
      [...each.accepts, ...(each.stricter ?? [])].map((value) => [value, true]),
    );
    for (const value of [...each.accepts, ...(each.stricter ?? [])])
      expect([value, isValid(each.schema, value)]).toEqual([value, true]);
  });
});
