import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { GenerationResult } from '../../src/contract/events.ts';
import type { GenerationRequest, Message } from '../../src/contract/request.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { collect } from '../support/collect.ts';
import { conductorOver } from './conductor.ts';

/** Every byte is a token; a message's marks cost about ten. */
const contextSize = 400;

async function generate(messages: readonly Message[], changes: Partial<GenerationRequest> = {}) {
  const engine = createFakeEngine({ contextSize, slots: 1, answer: 'ok' });
  const { service } = conductorOver(engine, { contextSize });
  const request: GenerationRequest = {
    ...requestDefaults,
    overflow: 'drop-oldest',
    ...changes,
    prompt: {
      type: 'chat',
      messages,
      tools: [],
      toolChoice: { type: 'auto' },
      reasoning: {},
      templateVariables: {},
      continueFinalMessage: true,
    },
  };
  const result: GenerationResult = await collect(service.generate(request, new AbortController().signal));
  const [job] = engine.jobs;
  return { warnings: result.finish.warnings, seen: engine.text.decode(job?.prompt ?? []), room: job?.maxTokens };
}

const system: Message = { role: 'system', content: 'RULES' };
const user = (name: string, length = 40): Message => ({ role: 'user', content: name.padEnd(length, '.') });
const assistant = (name: string): Message => ({ role: 'assistant', content: name.padEnd(40, '.') });

describe('a conversation that is longer than the context', () => {
  it('loses as few of its oldest messages as possible, never the instructions and never the last one', async () => {
    const turns = Array.from({ length: 10 }, (_, index) => [user(`q${index}`), assistant(`a${index}`)]).flat();
    const { seen, warnings, room } = await generate([system, ...turns, user('last')]);
    expect(seen).toContain('RULES');
    expect(seen).toContain('last');
    expect(seen.match(/[qa]\d/g)).toEqual(['q8', 'a8', 'q9', 'a9']);
    expect(warnings).toEqual(['The conversation is longer than the context: its oldest 16 messages were left out.']);
    expect(room).toBeGreaterThanOrEqual(contextSize / 4);
  });

  it('is left alone as long as it fits, however little room is left', async () => {
    const { seen, warnings } = await generate([system, user('only', 300)]);
    expect(seen).toContain('only');
    expect(warnings).toBeUndefined();
  });

  it('keeps no output of a tool whose call is gone', async () => {
    const call: Message = {
      role: 'assistant',
      content: 'calling',
      toolCalls: [{ id: 'c', name: 'f', arguments: '{}' }],
    };
    const output: Message = { role: 'tool', toolCallId: 'c', content: 'OUTPUT' };
    const { seen, warnings } = await generate([user('old', 250), call, output, user('last', 255)]);
    expect(['old', 'calling', 'OUTPUT', 'last'].filter((text) => seen.includes(text))).toEqual(['last']);
    expect(warnings).toEqual(['The conversation is longer than the context: its oldest 3 messages were left out.']);
  });

  it.each([
    ['the wish is not there', { overflow: 'error' as const }, [user('a', 300), user('last', 200)]],
    ['the last message alone is too long', {}, [system, user('a'), user('last', 500)]],
  ])('is an error when %s', async (_, changes, messages) => {
    const failed = await generate(messages, changes).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(ServeError);
    expect(failed).toMatchObject({ code: 'context_length_exceeded' });
  });
});
