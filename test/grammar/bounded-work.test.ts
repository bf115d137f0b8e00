import { describe, expect, it } from 'vitest';
import type { PromptOpening } from '../../src/contract/chat-format.ts';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import type { OutputShape } from '../../src/contract/request.ts';
import { type ConstraintRequest, constrain } from '../../src/grammar/constraint.ts';
import type { Expression, Grammar } from '../../src/grammar/gbnf/gbnf.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { parseGrammar } from '../../src/grammar/gbnf/gbnf-parse.ts';
import { fits } from '../../src/grammar/gbnf/grammar-walker.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { schemaToGrammar } from './schema-grammar.ts';

function constrained(outputShape: OutputShape, opening?: PromptOpening) {
  const format = chatFormats.plain;
  if (!format) throw new Error('no such family');
  const request: ConstraintRequest = {
    ...{ format, opening, outputShape, tools: [], toolChoice: { type: 'auto' }, strictTools: true },
  };
  return constrain(request);
}

const grammarOf = (grammar: string, opening?: PromptOpening) => constrained({ type: 'grammar', grammar }, opening);
const begun = (generationPrompt: string): PromptOpening => ({ block: 'text', continues: true, generationPrompt });

/** undefined: it is taken. */
function refusal(make: () => unknown): ServeError | undefined {
  try {
    make();
    return undefined;
  } catch (error) {
    if (error instanceof ServeError) return error;
    throw error;
  }
}

/** Of the longest sequence or choice that is written in one piece. */
function longest(grammar: Grammar): number {
  const lengthOf = (each: Expression): number => {
    const inner = each.kind === 'sequence' ? each.parts : each.kind === 'choice' ? each.options : [];
    return inner.reduce((most, part) => Math.max(most, lengthOf(part)), inner.length);
  };
  return [...grammar.values()].reduce((most, body) => Math.max(most, lengthOf(body)), 0);
}

const numbered = (count: number, name: string) => Array.from({ length: count }, (_, at) => `${name}${at}`);

describe('a grammar of a client’s', () => {
  it('may have more alternatives and parts than a call has arguments', () => {
    const most = 'The grammar would need more than 400000 elements; use smaller counts or fewer rules.';
    expect(refusal(() => grammarOf(`root ::= ${'|'.repeat(500_000)} "a"`))?.message).toBe(most);
    expect(fits(checkGrammar(`root ::= ${'. '.repeat(190_000)}`), 'a'.repeat(190_000))).toBe(true);
  });

  it('may have rules that stand in each other thousands deep', () => {
    const rules = numbered(3000, 'r').map((name, at) => `${name} ::= "a" ${at < 2999 ? `r${at + 1}` : ''}\n`);
    const { grammar = '' } = grammarOf(`root ::= r0\n${rules.join('')}`);
    expect(fits(checkGrammar(grammar), 'a'.repeat(3000))).toBe(true);
  });
});

describe('a prefilled answer', () => {
  it('is continued however long it is', () => {
    const items = numbered(1000, 'item').map((name) => JSON.stringify({ name }));
    const { grammar = '' } = constrained({ type: 'json' }, begun(`assistant: {"items": [${items.join()}`));
    expect(fits(checkGrammar(grammar), ']}')).toBe(true);
    expect(fits(checkGrammar(grammar), '}')).toBe(false);
  });

  it('is refused where its beginning would have to be looked for again and again', () => {
    const prompts = [`<${'a'.repeat(20_000)}c`, `${'{"a":'.repeat(3000)}!`];
    const [inGrammar, inJson] = [
      refusal(() => grammarOf('root ::= "a"* "b"', begun(prompts[0] ?? ''))),
      refusal(() => constrained({ type: 'json' }, begun(prompts[1] ?? ''))),
    ];
    for (const error of [inGrammar, inJson]) {
      expect(error?.message).toBe(
        'The answer that is to be continued begins in too many ways in the form that is asked for; leave it out, or take a simpler form.',
      );
      expect([error?.code, error?.details.param]).toEqual(['invalid_request', 'messages']);
    }
  });

  it('is refused where it leaves more readings open than a grammar may have', () => {
    const doubling = 'root ::= [z]{60} x\nx ::= "a" y | "a" z | "c"\ny ::= x "b"\nz ::= x "c"';
    const refusedBehind = (count: number) =>
      refusal(() => grammarOf(doubling, begun('z'.repeat(60) + 'a'.repeat(count))))?.message;
    expect(refusedBehind(4)).toBeUndefined();
    expect(refusedBehind(7)).toContain('can be read in more than 100 ways at once');
    expect(refusedBehind(30)).toContain('begins in too many ways');
  });
});

describe('a schema', () => {
  it.each<[string, JsonValue]>([
    ['required names', { type: 'object', required: numbered(1500, 'p') }],
    ['places of a tuple', { prefixItems: numbered(1500, 'v').map((value) => ({ const: value })), minItems: 1500 }],
  ])('is not copied for each of thousands of %s', (_, schema) => {
    expect(longest(parseGrammar(schemaToGrammar(schema).grammar, 'grammar'))).toBeLessThan(300);
  });

  it('may list and declare names of any length', () => {
    const long = 'a'.repeat(20_000);
    const { grammar } = schemaToGrammar({ enum: [long, ...numbered(9, 'b')] });
    expect(fits(checkGrammar(grammar), JSON.stringify(long))).toBe(true);
    const object = (name: string) => ({ type: 'object', properties: { [name]: { type: 'null' } }, required: [name] });
    const union = schemaToGrammar({ anyOf: [object(long), object('c')] });
    expect(fits(checkGrammar(union.grammar), JSON.stringify({ [long]: null }))).toBe(true);
    const open = schemaToGrammar({ ...object(long), additionalProperties: true });
    expect(fits(checkGrammar(open.grammar), JSON.stringify({ [long]: null, [`${long}b`]: 1 }))).toBe(false);
  });

  it('is refused where it lists more text than a grammar can hold', () => {
    const error = refusal(() => schemaToGrammar({ enum: ['a'.repeat(500_000), ...numbered(9, 'b')] }));
    expect(error?.message).toBe('The schema at # lists more text than a grammar can hold.');
  });

  it('may have a pattern of more parts than a call has arguments', () => {
    const { loosened } = schemaToGrammar({ type: 'string', pattern: `^(${'a|'.repeat(130_000)}b)$` });
    expect(loosened).toEqual([{ path: '#', keyword: 'pattern' }]);
  });

  it('leaves patterns to the check when all of them together are too much work, also where each has few states', () => {
    const properties = Object.fromEntries(
      numbered(300, 'p').map((name, at) => [name, { type: 'string', pattern: `(a?){400}|b${at}` }]),
    );
    const { loosened } = schemaToGrammar({ type: 'object', properties, additionalProperties: false });
    expect(loosened[0]?.keyword).toBe('pattern');
  });

  it('leaves a pattern to the check whose characters have too many other cases', () => {
    const pattern = `(?i)^[${'\\x00-\\uffff'.repeat(2000)}]$`;
    expect(schemaToGrammar({ type: 'string', pattern }).loosened).toEqual([{ path: '#', keyword: 'pattern' }]);
  });

  it('compares the values of long lists in one pass', () => {
    const numbers = (from: number) => Array.from({ length: 50_000 }, (_, at) => from + at);
    const { grammar } = schemaToGrammar({ allOf: [{ enum: numbers(0) }, { enum: numbers(49_999) }] });
    expect(grammar).toBe('root ::= "49999"\n');
    expect(schemaToGrammar({ enum: numbers(0), not: { enum: numbers(1) } }).grammar).toBe('root ::= "0"\n');
    const repeated = [...numbers(0), 7];
    expect(refusal(() => schemaToGrammar({ const: repeated, uniqueItems: true }))?.message).toContain('fits no value');
  });

  it('tells options apart in one pass', () => {
    const required = numbered(6000, 'p');
    const properties = Object.fromEntries(required.map((name) => [name, true]));
    const object = { type: 'object', properties, required, additionalProperties: false };
    const options = Array.from({ length: 60 }, () => ({ $ref: '#/$defs/same' }));
    const { loosened } = schemaToGrammar({ oneOf: options, $defs: { same: object } });
    expect(loosened).toEqual([{ path: '#', keyword: 'oneOf' }]);
  });

  it('has no value where its only one is not among those that it lists', () => {
    expect(refusal(() => schemaToGrammar({ const: 1, enum: [2, 3] }))?.message).toContain('fits no value at all');
    expect(schemaToGrammar({ const: 2, enum: [2, 3] }).grammar).toBe('root ::= "2"\n');
  });
});
