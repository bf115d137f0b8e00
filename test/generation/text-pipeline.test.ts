import { describe, expect, it } from 'vitest';
import type { BlockEvent } from '../../src/contract/events.ts';
import { visibleToken } from '../../src/generation/control-tokens.ts';
import { createPlainMachine } from '../../src/generation/create-pipeline.ts';
import { freeSteering, limitReasoning } from '../../src/generation/steering.ts';
import { TextPipeline } from '../../src/generation/text-pipeline.ts';
import { ThoughtControl } from '../../src/generation/thought-control.ts';

/** Every token is one byte of the text. */
const byteTokens = (token: number) => visibleToken(Uint8Array.of(token));
const tokensOf = (text: string) => [...Buffer.from(text)].map((token) => ({ token, forced: false }));

function run(text: string, stop: readonly string[] = []) {
  const pipeline = new TextPipeline({
    machine: createPlainMachine(),
    stop,
    tokens: byteTokens,
    steering: freeSteering,
  });
  const events: BlockEvent[] = [];
  let directive = 'continue';
  for (const token of tokensOf(text)) {
    const step = pipeline.push(token);
    events.push(...step.events);
    directive = step.directive.type;
    if (directive === 'stop') break;
  }
  events.push(...pipeline.end('complete'));
  const shown = events.map((event) => (event.type === 'block-delta' ? event.delta : '')).join('');
  return { shown, directive, events, pipeline };
}

describe('the way of a text from tokens to events', () => {
  it('holds incomplete characters back and gives them whole', () => {
    const { shown, events } = run('a€😀b');
    expect(shown).toBe('a€😀b');
    expect(events.some((event) => event.type === 'block-delta' && event.delta.includes('\uFFFD'))).toBe(false);
  });

  it('gives a character that is never completed as a replacement character', () => {
    const pipeline = new TextPipeline({
      machine: createPlainMachine(),
      stop: [],
      tokens: byteTokens,
      steering: freeSteering,
    });
    pipeline.push({ token: 0xf0, forced: false });
    expect(pipeline.end('complete')).toEqual([
      { type: 'block-start', index: 0, kind: 'text' },
      { type: 'block-delta', index: 0, delta: '\uFFFD' },
      { type: 'block-end', index: 0 },
    ]);
  });

  it('ends at a stop string across token borders and shows nothing of it', () => {
    const { shown, directive, events, pipeline } = run('one two END three', ['END']);
    expect([shown, directive, pipeline.stopString]).toEqual(['one two ', 'stop', 'END']);
    expect(events.at(-1)).toEqual({ type: 'block-end', index: 0 });
  });

  it('releases the beginning of a stop string that did not come', () => {
    expect(run('the EN', ['END']).shown).toBe('the EN');
  });

  it('closes the thinking at its budget with the closing text, once, and the grammar goes on behind it', () => {
    const steering = limitReasoning({ budget: 2, closing: [7, 8], afterwards: 'root ::= "x"' });
    const token = { token: 1, forced: false };
    const wishes = [1, 2].map(() => steering.afterToken(token, 'x', 'reasoning'));
    expect(wishes).toEqual([{ type: 'continue' }, { type: 'force', tokens: [7, 8] }]);
    const behind = [7, 8].map((closing) => steering.afterToken({ token: closing, forced: true }, 'x', 'reasoning'));
    expect(behind).toEqual([{ type: 'continue' }, { type: 'grammar', grammar: 'root ::= "x"' }]);
    expect(steering.afterToken(token, 'x', 'text')).toEqual({ type: 'continue' });
  });

  it('closes the thinking where somebody wants the answer now, and not before', () => {
    const thought = new ThoughtControl(true);
    const steering = limitReasoning({ budget: Number.POSITIVE_INFINITY, closing: [7], afterwards: undefined, thought });
    const token = { token: 1, forced: false };
    expect(thought.end()).toBe('not-thinking');
    expect(steering.afterToken(token, 'x', 'reasoning')).toEqual({ type: 'continue' });
    expect(thought.end()).toBe('ended');
    expect(steering.afterToken(token, 'x', 'reasoning')).toEqual({ type: 'force', tokens: [7] });
    expect(thought.end()).toBe('not-thinking');
  });
});
