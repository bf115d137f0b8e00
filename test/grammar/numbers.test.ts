import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import type { Grammar } from '../../src/grammar/gbnf/gbnf.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { nextDouble, wholeNumber } from '../../src/grammar/schema/numbers.ts';
import { isValid } from '../../src/grammar/schema/validate.ts';
import { runs } from '../support/runs.ts';
import { randomText } from './random-text.ts';
import { schemaToGrammar } from './schema-grammar.ts';

/** undefined: no number fits. */
function grammarOf(schema: JsonObject) {
  try {
    return checkGrammar(schemaToGrammar(schema).grammar);
  } catch (error) {
    if (error instanceof ServeError && error.message.includes('fits no value')) return undefined;
    throw error;
  }
}

function fitting(grammar: Grammar | undefined, texts: readonly string[]): readonly string[] {
  const machine = grammar && new GrammarWalker(grammar);
  return texts.filter((text) => {
    machine?.restart();
    return machine?.accept(text) && machine.complete;
  });
}

const double = fc.oneof(
  fc.constantFrom(0, 1, -1, 0.1, 100, -100, 1e-7, 2 ** 53, -(2 ** 53), 2 ** 69, 1e21, 1e23, 1e30),
  fc.constantFrom(5e-324, -5e-324, 1e-300, 1e308, Number.MAX_VALUE, -Number.MAX_VALUE),
  fc.integer({ min: -9999, max: 9999 }).map((n) => n / 100),
  fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
);

const bounds: fc.Arbitrary<JsonObject> = fc
  .tuple(
    fc.constantFrom('number', 'integer'),
    fc.option(fc.tuple(fc.constantFrom('minimum', 'exclusiveMinimum'), double)),
    fc.option(fc.tuple(fc.constantFrom('maximum', 'exclusiveMaximum'), double)),
  )
  .map(([type, min, max]) => ({ type, ...Object.fromEntries([min, max].filter((each) => each !== null)) }));

const limitsOf = (schema: JsonObject) => Object.values(schema).filter((value) => typeof value === 'number');

/** Decimal texts around a double: shorter, longer and in between it and its neighbours. */
function textsNear(value: number): string[] {
  const near = [nextDouble(value || 1, -Infinity), value, nextDouble(value || 1, Infinity)].filter(
    (each) => Math.abs(each) < 1e21,
  );
  const fixed = near.flatMap((each) => [1, 5, 12, 14, 15, 16, 17, 20, 25, 40].map((digits) => each.toFixed(digits)));
  return [...fixed, ...fixed.flatMap((text) => [`${text}1`, text.replace(/.$/, '9')]), String(Math.trunc(value))];
}

const isPlain = (text: string) => !/e/.test(text);

describe('bounds of numbers, as JSON.parse reads them', { timeout: 60_000 }, () => {
  it('hold for every text of the grammar', () => {
    fc.assert(
      fc.property(bounds, fc.infiniteStream(fc.nat()), (schema, numbers) => {
        const grammar = grammarOf(schema);
        if (!grammar) return;
        const text = randomText(grammar, (limit) => (numbers.next().value ?? 0) % limit);
        expect([text, isValid(schema, JSON.parse(text) as number)]).toEqual([text, true]);
      }),
      { numRuns: runs(80) },
    );
  });

  it.each([{ minimum: Number.MAX_VALUE }, { maximum: -Number.MAX_VALUE }])('end at the largest double: %j', (bound) => {
    const [limit = 0] = Object.values(bound);
    const [inside, outside] = [wholeNumber(limit), wholeNumber(nextDouble(limit, 0))].map(String);
    expect(fitting(grammarOf({ type: 'number', ...bound }), [inside ?? '', outside ?? ''])).toEqual([inside]);
  });

  it('hold for texts that are hardly different from the bound', () => {
    fc.assert(
      fc.property(bounds, (schema) => {
        const grammar = grammarOf(schema);
        const texts = limitsOf(schema)
          .flatMap(textsNear)
          .filter((text) => /^-?\d+(?:\.\d+)?$/.test(text));
        expect(fitting(grammar, texts).filter((text) => !isValid(schema, Number(text)))).toEqual([]);
      }),
      { numRuns: runs(30) },
    );
  });

  it('offer every number within, in the spelling of programs', () => {
    fc.assert(
      fc.property(bounds, fc.array(double), (schema, others) => {
        const grammar = grammarOf(schema);
        const limits = limitsOf(schema);
        const between = limits.length === 2 ? [((limits[0] ?? 0) + (limits[1] ?? 0)) / 2] : [];
        const near = limits.flatMap((limit) =>
          limit === 0 ? [] : [nextDouble(limit, -Infinity), nextDouble(limit, Infinity)],
        );
        const texts = [...limits, ...near, ...between, ...others]
          .filter((value) => Number.isFinite(value) && isValid(schema, value))
          .map((value) => JSON.stringify(value))
          // Without an upper bound integers have up to 19 digits.
          .filter((text) => isPlain(text) && (schema.type === 'number' || text.length < 19));
        expect(fitting(grammar, texts)).toEqual(texts);
      }),
      { numRuns: runs(80) },
    );
  });

  it.each<[JsonObject, string, boolean]>([
    [{ type: 'number', exclusiveMaximum: -87.33999999999999 }, '-87.339999999999990', false],
    [{ type: 'number', exclusiveMaximum: -87.33999999999999 }, '-87.3399999999999901', false],
    [{ type: 'number', exclusiveMaximum: -87.33999999999999 }, '-87.34', true],
    [{ type: 'number', exclusiveMaximum: 1 }, '0.99999999999999999', false],
    [{ type: 'number', exclusiveMaximum: 1 }, '0.9999999999999999', true],
    [{ type: 'number', exclusiveMinimum: 0 }, '0.0000001', true],
    [{ type: 'number', exclusiveMinimum: 0 }, '0.0', false],
    [{ type: 'number', exclusiveMaximum: 0 }, '-0', false],
    [{ type: 'number', minimum: 1e30, maximum: 2e30 }, `9${'0'.repeat(31)}`, false],
    [{ type: 'number', minimum: 1e30, maximum: 2e30 }, `15${'0'.repeat(29)}`, true],
    [{ type: 'integer', minimum: 1e31 }, '5', false],
    [{ type: 'integer', exclusiveMinimum: 2 ** 53 }, '9007199254740993', false],
    [{ type: 'integer', exclusiveMinimum: 2 ** 53 }, '9007199254740994', true],
    [{ type: 'integer', maximum: 2 ** 69 }, '590295810358705700000', true],
    [{ type: 'number', minimum: 0.5 }, '123456789012345680000', true],
  ])('%j, %s: %j', (schema, text, expected) => {
    expect(fitting(grammarOf(schema), [text])).toEqual(expected ? [text] : []);
  });

  it('that leave nothing are refused', () => {
    for (const schema of [
      { exclusiveMinimum: 1, exclusiveMaximum: 1.0000000000000002 },
      { minimum: 2, maximum: 1 },
      { exclusiveMaximum: -Number.MAX_VALUE },
      { exclusiveMinimum: Number.MAX_VALUE },
    ])
      expect(grammarOf({ type: 'number', ...schema })).toBeUndefined();
  });
});
