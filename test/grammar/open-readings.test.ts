import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { operatorTree } from '../../scripts/operator-tree.ts';
import { ServeError } from '../../src/contract/errors.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import type { Tool } from '../../src/contract/request.ts';
import { constrain } from '../../src/grammar/constraint.ts';
import { flatten } from '../../src/grammar/gbnf/flat-rules.ts';
import type { Grammar } from '../../src/grammar/gbnf/gbnf.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { chatFormats } from '../../src/output/detect-family.ts';
import { runs } from '../support/runs.ts';
import { recursiveSchemas } from './random-recursion.ts';
import { schemas } from './random-schema.ts';
import { type Draw, randomText } from './random-text.ts';
import { schemaToGrammar } from './schema-grammar.ts';
import { schemaCases } from './schema-table.ts';
import { toolCases } from './tool-schemas.ts';

/**
 * llama.cpp walks every open reading of a grammar for every token, in the step that all requests share: whatever clients
 * send, there must never be many.
 */
const ceiling = 40;
/** Characters of a text that are looked at. */
const longest = 1_500;

function grammarOf(schema: JsonValue): Grammar | undefined {
  try {
    return checkGrammar(schemaToGrammar(schema).grammar);
  } catch (error) {
    if (error instanceof ServeError) return undefined;
    throw error;
  }
}

/** The most readings open at a time in random texts, and on the way that opens the most. */
function mostReadings(grammar: Grammar, draw: Draw, texts = 3): { readonly most: number; readonly at: string } {
  const machine = new GrammarWalker(flatten(grammar, 'grammar', { shared: false }));
  let [most, at] = [machine.mostReadings(60, ceiling), ''];
  for (let count = 0; count < texts; count++) {
    machine.restart();
    let seen = '';
    for (const char of randomText(grammar, draw, 400).slice(0, longest)) {
      expect([seen, machine.accept(char)]).toEqual([seen, true]);
      seen += char;
      if (machine.openReadings > most) [most, at] = [machine.openReadings, seen.slice(-200)];
    }
    most = Math.max(most, machine.mostReadings(20, ceiling));
  }
  return { most, at };
}

function drawFrom(numbers: Iterator<number>): Draw {
  return (limit) => (numbers.next().value ?? 0) % limit;
}

/** The same numbers in every run. */
function counting(): Draw {
  let state = 7;
  return (limit) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % limit;
  };
}

const range = (length: number) => Array.from({ length }, (_, index) => index);
const pattern = (source: string) => ({ type: 'string', pattern: source });

describe('open readings of what schemas become', { timeout: 60_000 }, () => {
  it.each<[string, JsonValue]>([
    ['words in groups in lists', pattern('^(([a-z]+,?){1,10};?){1,10}$')],
    ['numbers without a border', pattern('^([0-9]{1,3}(,[0-9]{3})*;?){1,500}$')],
    ['words without a border', pattern('^([a-z]{1,50} ?){1,200}$')],
    ['counts in counts', pattern('^(a{1,100}){1,100}$')],
    ['counts in counts in counts', pattern('^((a{1,100}){1,100}){1,100}$')],
    ['words with a border', pattern('^([a-z]{1,50} ){1,200}$')],
    ['a tree of four operators', operatorTree(4)],
    ['a tree of nine operators', operatorTree(9)],
    ['a tree of optional members', operatorTree(4, ['op'])],
    ['lists in lists', { type: 'array', items: { $ref: '#' }, maxItems: 900 }],
    ['lists in lists, too long to count', { type: 'array', items: { $ref: '#' }, maxItems: 100_000 }],
    ['twenty patterns', { anyOf: range(20).map((index) => pattern(`^[a-z]{1,${index + 1}}-${index}$`)) }],
    [
      'twenty ranges',
      { anyOf: range(20).map((index) => ({ type: 'integer', minimum: index * 10, maximum: index * 11 })) },
    ],
    ['a number of up to 300 digits', { type: 'integer', minimum: 5, maximum: 1e300 }],
    ['a thousand multiples', { type: 'integer', minimum: 0, maximum: 7_000, multipleOf: 7 }],
    ['a hundred literals', { anyOf: range(100).map((index) => ({ const: `mcp__server__${index}` })) }],
    [
      'a hundred optional properties',
      { type: 'object', properties: Object.fromEntries(range(100).map((index) => [`property_${index}`, {}])) },
    ],
    [
      'sixty objects told apart by a member',
      {
        anyOf: range(60).map((index) => ({
          type: 'object',
          properties: { kind: { const: `kind-${index}` }, value: { type: 'string' }, rest: {} },
          required: ['kind'],
        })),
      },
    ],
  ])('%s: few', (_, schema) => {
    const grammar = grammarOf(schema);
    if (!grammar) throw new Error('refused');
    expect(mostReadings(grammar, counting(), 10).most).toBeLessThanOrEqual(ceiling);
  });

  it.each([...schemaCases, ...toolCases].map(({ name, schema }) => [name, schema] as const))('%s: few', (_, schema) => {
    const grammar = grammarOf(schema);
    expect(grammar && mostReadings(grammar, counting(), 1).most).toBeLessThanOrEqual(ceiling);
  });

  it.each([
    ['random schemas', schemas, 40],
    ['random unions that hold themselves', recursiveSchemas, 40],
  ] as const)('%s: few', (_, arbitrary, count) => {
    let checked = 0;
    fc.assert(
      fc.property(
        arbitrary.map(({ schema }) => schema),
        fc.infiniteStream(fc.nat()),
        (schema, numbers) => {
          const grammar = grammarOf(schema);
          if (!grammar) return;
          checked++;
          const { most, at } = mostReadings(grammar, drawFrom(numbers));
          if (most > ceiling) throw new Error(`${most} readings behind ${at}`);
        },
      ),
      { numRuns: runs(count) },
    );
    expect(checked).toBeGreaterThan(20);
  });

  it('random patterns: few', () => {
    const counts = fc.constantFrom('', '', '?', '*', '+', '{1,9}', '{0,50}', '{2,300}', '{1,2000}', '{3}');
    const patterns = fc.letrec<{ any: string }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom('a', '[a-z]', '[a-z]', 'ab', ',', ' ?', '\\d', '.', '[^"]', '"'),
        fc.tuple(tie('any'), tie('any')).map(([a, b]) => a + b),
        fc.tuple(tie('any'), tie('any')).map(([a, b]) => `(?:${a}|${b})`),
        fc.tuple(tie('any'), counts).map(([a, count]) => `(?:${a})${count}`),
        fc.tuple(tie('any'), counts).map(([a, count]) => `(?:${a})${count}`),
      ),
    })).any;
    fc.assert(
      fc.property(patterns, fc.boolean(), fc.infiniteStream(fc.nat()), (source, anchored, numbers) => {
        const grammar = grammarOf(pattern(anchored ? `^${source}$` : source));
        if (!grammar) return;
        const { most, at } = mostReadings(grammar, drawFrom(numbers));
        if (most > ceiling) throw new Error(`${most} readings behind ${at}`);
      }),
      { numRuns: runs(25) },
    );
  });
});

describe('open readings of answers with a hundred tools', () => {
  const { $defs } = operatorTree(4);
  const parameters = { type: 'object', properties: { path: { type: 'string' }, count: { type: ['integer', 'null'] } } };
  const tools: readonly Tool[] = [
    ...range(100).map((index) => ({ name: `mcp__server_${index % 7}__do_${index}`, parameters, definition: {} })),
    {
      name: 'evaluate',
      parameters: { type: 'object', properties: { tree: { $ref: '#/$defs/expression' } }, $defs },
      definition: {},
    },
  ];
  it.each(Object.keys(chatFormats))('%s: few', (family) => {
    const format = chatFormats[family];
    if (!format?.toolCalls) return;
    const { grammar } = constrain({
      format,
      opening: { block: 'text', generationPrompt: '' },
      tools,
      toolChoice: { type: 'auto' },
      outputShape: { type: 'text' },
      strictTools: true,
    });
    expect(mostReadings(checkGrammar(grammar ?? ''), counting(), 4).most).toBeLessThanOrEqual(ceiling);
  });
});
