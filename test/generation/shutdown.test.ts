import { describe, expect, it } from 'vitest';
import type { ServeError } from '../../src/contract/errors.ts';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { requestDefaults } from '../../src/contract/request.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { until } from '../http/support.ts';
import { conductorOver } from './conductor.ts';

describe('runs of a server that stops', () => {
  it('end with length where text was shown, as refused before that, and leave nothing behind', async () => {
    const engine = createFakeEngine({ slots: 2, answer: 'a long answer to read', stepping: 'manual', stepTokens: 8 });
    const { cancels, service } = conductorOver(engine);
    const run = (text: string, answerId: string) => {
      const events: GenerationEvent[] = [];
      const request = { ...requestDefaults, prompt: { type: 'text' as const, text }, keys: { answerId } };
      const read = async () => {
        for await (const event of service.generate(request, new AbortController().signal)) events.push(event);
        return events.at(-1);
      };
      return { events, last: read().catch((error: ServeError) => error.code) };
    };
    const speaking = run('Say it', 'a1');
    await until('a slot', () => speaking.events.length > 0);
    while (!speaking.events.some(({ type }) => type === 'block-delta')) await engine.step();
    const reading = run('A prompt that takes more than one step to read', 'a2');
    await until('the other slot', () => reading.events.length > 0);
    const queued = run('Wait', 'a3');
    const sibling = run('Wait too', 'a1');
    await until('all in the house', () => cancels.size === 4);
    cancels.shutDown();
    await engine.runUntilIdle();
    expect(await speaking.last).toMatchObject({ type: 'finish', reason: 'length', usage: { outputTokens: 1 } });
    expect(await speaking.last).not.toHaveProperty('cancelled');
    expect([await reading.last, await queued.last]).toEqual(['draining', 'draining']);
    expect(await sibling.last).toMatchObject({ type: 'finish', reason: 'length', usage: { outputTokens: 0 } });
    expect(sibling.events.map(({ type }) => type)).toEqual(['start', 'finish']);
    expect([cancels.size, ...engine.slots().map(({ phase }) => phase)]).toEqual([0, 'idle', 'idle']);
  });
});
