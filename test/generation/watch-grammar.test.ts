import { describe, expect, it } from 'vitest';
import type { FinishEvent } from '../../src/contract/events.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { freeSteering, limitReasoning } from '../../src/generation/steering.ts';
import { watchGrammar } from '../../src/generation/watch-grammar.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { collect } from '../support/collect.ts';
import { conductorOver } from './conductor.ts';

/** Behind `!` each further character doubles the readings; it cannot come before the fifty-first. */
const doubling = 'root ::= [a-z]{50} "!" list\nlist ::= "a" list "b" | [a-z] list "c" | ""';
const begin = 'abcdefghij'.repeat(5);
/** Characters after which it cannot have been overlooked. */
const seen = 50;
const finish: FinishEvent = {
  type: 'finish',
  reason: 'stop',
  usage: { inputTokens: 1, cachedTokens: 0, outputTokens: 1, reasoningTokens: 0 },
  timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
  seed: 1,
};

function watched(text: string, { grammar = doubling, end = finish, steering = freeSteering } = {}) {
  const own = checkGrammar(grammar);
  const watch = watchGrammar(steering, { whole: own, afterReasoning: own });
  const directives = [...text].map((char, at) => watch.steering.afterToken({ token: at, forced: false }, char, 'text'));
  return { lifted: directives.findIndex(({ type }) => type === 'grammar') + 1, warnings: watch.warnings(end), watch };
}

describe('a grammar that a client wrote', () => {
  it('is left alone as long as few readings are open', () => {
    expect(watched('ab')).toMatchObject({ lifted: 0, warnings: [] });
  });

  it('is lifted before the engine would walk into what doubles with every character, and the answer is checked', () => {
    const { lifted, warnings } = watched(`${begin}!aabc`);
    expect(lifted).toBeLessThanOrEqual(seen);
    expect(warnings).toEqual([
      `The grammar can be read in more than 100 ways at once behind token ${lifted}: from there on the answer was not held to it. It fits all the same.`,
    ]);
    expect(watched(`${begin}!aab`).warnings[0]).toMatch(/It does not fit\.$/);
    expect(watched(`${begin}!`).warnings[0]).toMatch(/It fits all the same\.$/);
  });

  it('is not judged where the answer was cut or cancelled', () => {
    expect(watched(`${begin}!aab`, { end: { ...finish, reason: 'length' } }).warnings[0]).toMatch(/not held to it\.$/);
    expect(watched(`${begin}!aab`, { end: { ...finish, cancelled: true } }).warnings).toEqual([]);
  });

  it('counts anew where the end of a thought switches it on', () => {
    const steering = limitReasoning({ budget: 1, closing: [7], afterwards: 'root ::= "x"' });
    const { watch } = watched('', { steering });
    const thought = watch.steering.afterToken({ token: 1, forced: false }, '…', 'reasoning');
    expect(thought).toEqual({ type: 'force', tokens: [7] });
    expect(watch.steering.afterToken({ token: 7, forced: true }, 'END', 'text')).toEqual({
      type: 'grammar',
      grammar: 'root ::= "x"',
    });
    const next = [...begin].map((char) => watch.steering.afterToken({ token: 1, forced: false }, char, 'text').type);
    expect(next[0]).toBe('continue');
    expect(next).toContain('grammar');
  });
});

describe('a request with a grammar', () => {
  const request = (grammar: string) => ({
    ...requestDefaults,
    prompt: { type: 'text', text: 'Hello' } as const,
    outputShape: { type: 'grammar', grammar } as const,
  });

  it('goes on when its grammar is lifted, and tells so at its end', async () => {
    const engine = createFakeEngine({ answer: `${begin}!aabb` });
    const { service } = conductorOver(engine);
    const result = await collect(service.generate(request(doubling), new AbortController().signal));
    expect(engine.jobs[0]?.steered).toBe(true);
    expect(result.finish.warnings).toEqual([expect.stringContaining('It fits all the same.')]);
  });

  it.each([
    ['at once', 'root ::= "a" root "b" | [a-z] root "c" | ""'],
    ['in the middle of their classes', 'root ::= [Qa-z] root "b" | [0a-z] root "c" | ""'],
    ['beside an alternative that is longer', 'root ::= "QQQQQQQQQQ" | "a" root "b" | [a-z] root "c" | ""'],
    [
      'within a token that begins as it must',
      'root ::= "------------" list\nlist ::= "-" list "b" | [-=] list "c" | ""',
    ],
  ])('is refused where the grammar begins in too many ways: %s', async (_, list) => {
    const { service } = conductorOver(createFakeEngine({ answer: '' }));
    await expect(collect(service.generate(request(list), new AbortController().signal))).rejects.toThrow(
      'The grammar can be read in more than 100 ways at once within its first characters',
    );
  });

  it('takes a thousand labels, which share their beginnings', async () => {
    const labels = Array.from({ length: 1000 }, (_, index) => `"label ${index}"`).join(' | ');
    const { service } = conductorOver(createFakeEngine({ answer: 'label 7' }));
    const result = await collect(service.generate(request(`root ::= ${labels}`), new AbortController().signal));
    expect(result.finish.warnings).toBe(undefined);
  });
});
