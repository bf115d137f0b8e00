import { describe, expect, it } from 'vitest';
import type { Block } from '../../src/contract/events.ts';
import type { JsonValue } from '../../src/contract/json.ts';
import { checkAnswer } from '../../src/grammar/check-answer.ts';
import type { ConstraintRequest } from '../../src/grammar/constraint.ts';
import { ConstraintCache, type ConstraintRecord } from '../../src/grammar/constraint-cache.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';

function requestFor(schema: JsonValue, changes: Partial<ConstraintRequest> = {}): ConstraintRequest {
  return {
    format: detectChatFormat(undefined, 'hermes'),
    opening: { block: 'text', generationPrompt: '' },
    tools: [],
    toolChoice: { type: 'auto' },
    outputShape: { type: 'json-schema', schema },
    strictTools: true,
    ...changes,
  };
}

function cacheOf(options: { maxCount?: number; maxCharacters?: number } = {}) {
  const records: ConstraintRecord[] = [];
  let now = 0;
  const made = new ConstraintCache({
    clock: () => (now += 5),
    onConstraint: (record) => records.push(record),
    ...options,
  });
  return { cache: made, cached: () => records.map(({ cached }) => cached), records };
}

const ann = { owner: 'ann', scope: 'a' };
const bob = { owner: 'bob', scope: 'b' };
const numbered = (at: number) => requestFor({ type: 'integer', maximum: at });

describe('kept constraints', () => {
  it('are made once for equal requests and told to the metrics', () => {
    const { cache: kept, records } = cacheOf();
    const first = kept.get(numbered(1), ann);
    expect(kept.get(numbered(1), ann)).toBe(first);
    const characters = (first.grammar?.length ?? 0) + (first.afterReasoning?.length ?? 0);
    expect(characters).toBeGreaterThan(100);
    expect(records).toEqual([
      { cached: false, milliseconds: 5, characters, loosened: [] },
      { cached: true, milliseconds: 0, characters: 0, loosened: [] },
    ]);
  });

  it('differ by everything that decides the grammar, and not by descriptions', () => {
    const tool = { name: 'a', description: 'x', parameters: { type: 'object' }, definition: {} };
    const base = requestFor({ type: 'null' }, { tools: [tool] });
    const others: ConstraintRequest[] = [
      { ...base, toolChoice: { type: 'required' } },
      { ...base, parallelToolCalls: false },
      { ...base, strictTools: false },
      { ...base, outputShape: { type: 'json' } },
      { ...base, opening: { block: 'reasoning', generationPrompt: '' } },
      { ...base, opening: undefined },
      { ...base, opening: { block: 'text', generationPrompt: '<think>\n</think>' } },
      { ...base, opening: { block: 'text', generationPrompt: 'n', continues: true } },
      { ...base, opening: { block: 'text', generationPrompt: 'nu', continues: true } },
      { ...base, format: detectChatFormat(undefined, 'mistral') },
      { ...base, tools: [{ ...tool, parameters: { type: 'object', required: ['b'] } }] },
      { ...base, tools: [{ ...tool, strict: false }] },
    ];
    const { cache: kept, cached } = cacheOf();
    for (const request of [base, ...others]) kept.get(request, ann);
    kept.get({ ...base, tools: [{ ...tool, description: 'another', definition: { a: 1 } }] }, ann);
    kept.get({ ...base, opening: { block: 'text', generationPrompt: 'assistant' } }, ann);
    expect(cached()).toEqual([false, ...others.map(() => false), true, true]);
  });

  it('say what their grammar does not ensure', () => {
    const { cache: kept, records } = cacheOf();
    const remote = {
      name: 'odd',
      parameters: { type: 'object', properties: { a: { $ref: 'x.json' } } },
      definition: {},
    };
    const strange = { name: 'strange', parameters: { properties: { b: { pattern: '^(a$' } } }, definition: {} };
    kept.get(requestFor({ items: { type: 'array', uniqueItems: true } }, { tools: [remote, strange] }), ann);
    expect(records[0]?.loosened).toEqual([
      { isWarning: false, sentence: 'In the schema of the answer, uniqueItems at #/items is only checked afterwards.' },
      {
        isWarning: true,
        sentence:
          'The arguments of the tool odd are any JSON, checked afterwards: The schema at #/properties/a refers to another document with $ref "x.json"; copy that schema into $defs.',
      },
      {
        isWarning: true,
        sentence: 'In the schema of the tool strange, pattern at #/properties/b is not looked at: an open parenthesis.',
      },
    ]);
  });

  it('make room for new ones, the longest unused first', () => {
    const { cache: kept, cached } = cacheOf({ maxCount: 2 });
    for (const at of [1, 2, 1, 3, 1, 2]) kept.get(numbered(at), ann);
    expect(cached()).toEqual([false, false, true, false, true, false]);
  });

  it('stay within a size', () => {
    const { cache: kept, cached } = cacheOf({ maxCharacters: 10 });
    for (const at of [1, 1]) kept.get(numbered(at), ann);
    expect(cached()).toEqual([false, false]);
  });

  it('push out none of another owner who has fewer', () => {
    const { cache: kept, cached } = cacheOf({ maxCount: 3 });
    kept.get(numbered(1), bob);
    for (const at of [1, 2, 3, 4]) kept.get(numbered(at), ann);
    kept.get(numbered(1), bob);
    kept.get(numbered(3), ann);
    kept.get(numbered(2), ann);
    expect(cached()).toEqual([false, false, false, false, false, true, true, false]);
  });

  it('of one scope are not there for another', () => {
    const { cache: kept, cached } = cacheOf();
    for (const who of [ann, bob, { ...ann, scope: 'salted' }, ann]) kept.get(numbered(1), who);
    expect(cached()).toEqual([false, false, false, true]);
  });

  it('are not kept when they fail, and not needed without anything to hold to', () => {
    const { cache: kept, records } = cacheOf();
    expect(() => kept.get(requestFor(false), ann)).toThrow('fits no value at all');
    expect(() => kept.get(requestFor(false), ann)).toThrow('fits no value at all');
    expect(kept.get(requestFor(true, { outputShape: { type: 'text' } }), ann).grammar).toBeUndefined();
    expect(records).toEqual([]);
  });
});

describe('the check of a finished answer', () => {
  const text = (value: string): Block => ({ kind: 'text', text: value, logprobs: [] });
  const call = (name: string, args: string): Block => ({ kind: 'tool-call', id: '1', name, arguments: args });
  const unique = { type: 'array', uniqueItems: true };
  const checks = {
    answer: unique,
    tools: new Map([['f', { type: 'object', properties: { a: unique }, required: ['a'] }]]),
  };

  it.each<[string, Block[], string[]]>([
    ['nothing wrong', [text('[1, 2]'), call('f', '{"a": []}')], []],
    ['a wrong answer', [text('[1, 1]')], ['The answer does not fit the schema: uniqueItems at /.']],
    ['no JSON', [text('[1,')], ['The answer does not fit the schema: it is no complete JSON.']],
    ['wrong arguments', [call('f', '{"a": [2, 2]}')], ['The arguments of f do not fit the schema: uniqueItems at /a.']],
    [
      'several things',
      [call('f', '{}'), call('f', '{"a": 1}')],
      [
        'The arguments of f do not fit the schema: required at /.',
        'The arguments of f do not fit the schema: type at /a.',
      ],
    ],
    ['other tools and thoughts', [call('g', 'x'), { kind: 'reasoning', text: 'x', logprobs: [] }], []],
  ])('%s', (_, blocks, expected) => {
    expect(checkAnswer({ checks }, blocks)).toEqual(expected);
  });
});
