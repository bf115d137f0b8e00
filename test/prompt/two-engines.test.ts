import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import type { RenderTemplate } from '../../src/prompt/jinja.ts';
import { traitReader } from '../../src/prompt/traits.ts';
import { everyNth, quickerOf, trials } from '../../src/prompt/two-engines.ts';

const template = `{% if '</think>' in message.content %}{{ '<|im_start|>' + message.role }}{% endif %}`;

/** Records who rendered; every render of an engine takes as many milliseconds as given. */
function race(setup: { readonly other?: RenderTemplate; readonly referenceTakes?: number } = {}) {
  const calls: string[] = [];
  let time = 0;
  const write: RenderTemplate = (variables) => JSON.stringify(variables);
  const render = quickerOf({
    reference(variables) {
      calls.push('reference');
      time += setup.referenceTakes ?? 10;
      return write(variables);
    },
    other(variables) {
      calls.push('other');
      time += 5;
      return (setup.other ?? write)(variables);
    },
    traitsOf: traitReader(template),
    clock: () => time,
  });
  return {
    /** Who was asked for the prompt, in order. */
    asked(variables: JsonObject): string[] {
      calls.length = 0;
      expect(render(variables)).toBe(write(variables));
      return [...calls];
    },
  };
}

function said(...texts: string[]): JsonObject {
  return { messages: texts.map((content) => ({ role: 'user', content })) };
}

const both = ['reference', 'other'];

function tried(setup?: Parameters<typeof race>[0]) {
  const { asked } = race(setup);
  for (let count = 0; count < trials; count++) expect(asked(said('Hello'))).toEqual(both);
  return asked;
}

describe('two engines', () => {
  it('are both asked first, then the quicker one', () => {
    expect(tried()(said('Hello'))).toEqual(['other']);
    expect(tried({ referenceTakes: 5 })(said('Hello'))).toEqual(['reference']);
  });

  it('are compared now and then for ever, whichever is quicker', () => {
    for (const [referenceTakes, quicker] of [
      [10, 'other'],
      [5, 'reference'],
    ] as const) {
      const asked = tried({ referenceTakes });
      const later = Array.from({ length: everyNth + 1 }, () => asked(said('Hello')));
      expect(later.slice(0, -1).every(([first]) => first === quicker)).toBe(true);
      expect(later.at(-1)).toEqual(both);
    }
  });

  it.each([
    ['a marker that the template looks for', said('Well </think> then')],
    ['an empty text', said('')],
    ['white space at the end', said('Hello\n')],
    ['letters beyond ASCII', said('Grüße')],
    ['one message after the other', said('Hello', 'Hello')],
    ['another field', { messages: [{ role: 'user', content: 'Hello', name: 'x' }] }],
    ['another variable', { ...said('Hello'), tools: [{ type: 'function' }] }],
    ['another value of a variable', { ...said('Hello'), enable_thinking: false }],
  ])('are both asked when there is %s, until they have agreed', (_, variables) => {
    const asked = tried();
    expect(asked(variables)).toEqual(both);
    expect(asked(variables)).toEqual(['other']);
  });

  it.each([
    ['white space beyond ASCII', said('Hello\u00a0')],
    ['a broken number', { messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: { a: 0.1 } } }] }] }],
    ['a large number', { messages: [{ role: 'assistant', tool_calls: [{ function: { arguments: { a: 1e21 } } }] }] }],
  ])('leave to the reference what engines print in ways of their own: %s', (_, variables) => {
    const asked = tried();
    expect([asked(variables), asked(variables)]).toEqual([['reference'], ['reference']]);
    expect(asked(said('Hello'))).toEqual(['other']);
  });

  it('never count on the other one again after a different prompt', () => {
    const asked = tried({ other: (variables) => JSON.stringify(variables).replace('ü', 'u') });
    expect(asked(said('Grüße'))).toEqual(both);
    expect(asked(said('Hello'))).toEqual(['reference']);
  });

  it('leave to the reference what the other one cannot render', () => {
    const other: RenderTemplate = (variables) => {
      if (variables.tools) throw new Error('Unknown filter');
      return JSON.stringify(variables);
    };
    const asked = tried({ other });
    const withTools = { ...said('Hello'), tools: [] };
    expect([asked(withTools), asked(withTools)]).toEqual([both, ['reference']]);
    expect(asked(said('Hello'))).toEqual(['other']);
  });

  it('end when the other one fails at what it could render', () => {
    let count = 0;
    const other: RenderTemplate = (variables) => {
      if (++count > trials) throw new Error('broken');
      return JSON.stringify(variables);
    };
    const asked = tried({ other });
    expect([asked(said('Hello')), asked(said('Hello'))]).toEqual([['other', 'reference'], ['reference']]);
  });
});
