import { describe, expect, it } from 'vitest';
import type { FinishEvent, GenerationEvent } from '../../src/contract/events.ts';
import { hideServerCalls } from '../../src/http/answers/hide-server-calls.ts';

const finish = (reason: FinishEvent['reason']): FinishEvent => ({
  type: 'finish',
  reason,
  usage: { inputTokens: 5, cachedTokens: 0, outputTokens: 7, reasoningTokens: 0 },
  timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
  seed: 1,
});

const text = (index: number, delta: string): GenerationEvent[] => [
  { type: 'block-start', index, kind: 'text' },
  { type: 'block-delta', index, delta },
  { type: 'block-end', index },
];

const call = (index: number, id: string, server?: string): GenerationEvent[] => [
  { type: 'block-start', index, kind: 'tool-call', id, name: 'look', ...(server !== undefined && { server }) },
  { type: 'block-delta', index, delta: '{}' },
  { type: 'block-end', index },
];

const ran = (callId: string): GenerationEvent[] => [
  { type: 'tool-state', callId, state: 'asks' },
  { type: 'tool-state', callId, state: 'running' },
  { type: 'tool-result', callId, content: 'seen', isError: false, ms: 3 },
];

async function hidden(events: readonly GenerationEvent[]): Promise<GenerationEvent[]> {
  async function* told() {
    yield* events;
  }
  const shown: GenerationEvent[] = [];
  for await (const event of hideServerCalls(told())) shown.push(event);
  return shown;
}

const start: GenerationEvent = { type: 'start', model: 'm', inputTokens: 5, cachedTokens: 0 };
const round: GenerationEvent = { type: 'round', inputTokens: 9, cachedTokens: 5 };

describe('an answer for dialects that show no calls of the server', () => {
  it('is the text alone, its blocks counted without gaps', async () => {
    const events = [start, ...text(0, 'a'), ...call(1, 'c1', 'files'), ...ran('c1'), round, ...text(2, 'b')];
    expect(await hidden([...events, finish('stop')])).toEqual([
      start,
      ...text(0, 'a'),
      ...text(1, 'b'),
      finish('stop'),
    ]);
  });

  it("keeps the client's own calls, which end it as ever", async () => {
    const events = [start, ...call(0, 'c1', 'files'), ...call(1, 'c2'), ...ran('c1'), ...text(2, 'b')];
    expect(await hidden([...events, finish('tool-calls')])).toEqual([
      start,
      ...call(0, 'c2'),
      ...text(1, 'b'),
      finish('tool-calls'),
    ]);
  });

  it("ends by itself where all calls were the server's, and at a limit by that", async () => {
    const events = [start, ...call(0, 'c1', 'files'), ...ran('c1')];
    expect((await hidden([...events, finish('tool-calls')])).at(-1)).toMatchObject({ reason: 'stop' });
    expect((await hidden([...events, finish('length')])).at(-1)).toMatchObject({ reason: 'length' });
  });

  it('is left as it is where there are none', async () => {
    const queued: GenerationEvent = { type: 'queued', position: 2 };
    const events = [queued, start, ...text(0, 'a'), ...call(1, 'c1'), finish('tool-calls')];
    expect(await hidden(events)).toEqual(events);
  });
});
