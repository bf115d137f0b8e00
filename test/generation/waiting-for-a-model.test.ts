import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { GenerationEvent } from '../../src/contract/events.ts';
import { type GenerationRequest, requestDefaults } from '../../src/contract/request.ts';
import { createCancelRegistry } from '../../src/generation/cancellation.ts';
import { createGenerationService } from '../../src/generation/generate.ts';
import { ConstraintCache } from '../../src/grammar/constraint-cache.ts';
import { person } from '../support/callers.ts';

/** The conductor with a model that never gets ready; whoever leaves is told so by the signal. */
function waitForever() {
  const counted: string[] = [];
  const cancels = createCancelRegistry({ clock: () => 0 });
  const service = createGenerationService({
    useModel: (_, signal) =>
      new Promise((_resolve, reject) => {
        const leave = () => reject(signal.reason);
        if (signal.aborted) leave();
        signal.addEventListener('abort', leave, { once: true });
      }),
    cancels,
    constraints: new ConstraintCache({ clock: () => 0 }),
    clock: () => 0,
    timers: { after: () => () => undefined },
    drawSeed: () => 1,
    newToolCallId: () => 'call_1',
    observer: {
      cancelled: (phase) => counted.push(phase),
      timeLimit: () => counted.push('time limit'),
      repaired: () => undefined,
      misfit: () => undefined,
    },
    settings: { maxPredictMs: 1000, autoHealToolCalls: true, checkToolNames: true, strictTools: true },
  });
  const request: GenerationRequest = {
    ...requestDefaults,
    prompt: { type: 'text', text: 'Hello' },
    keys: { sessionId: 'thread', answerId: 'chatcmpl-1' },
  };
  return { service, cancels, counted, request };
}

async function eventsOf(run: AsyncIterable<GenerationEvent>): Promise<GenerationEvent[]> {
  const events: GenerationEvent[] = [];
  for await (const event of run) events.push(event);
  return events;
}

describe('a call that waits for its model', () => {
  it('ends properly, empty, when it is cancelled', async () => {
    const { service, cancels, counted, request } = waitForever();
    const { signal } = new AbortController();
    const running = eventsOf(service.generate(request, signal));
    expect(cancels.cancel({ sessionId: 'thread' }, person())).toBe(1);
    const events = await running;
    expect(events.map(({ type }) => type)).toEqual(['start', 'finish']);
    expect(events[1]).toMatchObject({ reason: 'stop', cancelled: true, usage: { outputTokens: 0 } });
    expect([counted, cancels.size, getEventListeners(signal, 'abort').length]).toEqual([['queued'], 0, 0]);
  });

  it('is told of a model that gets ready, or why it leaves', async () => {
    const { service, counted } = waitForever();
    const controller = new AbortController();
    const ready = service.ready('demo', controller.signal);
    const reason = new ServeError('client_closed', 'The client left.');
    controller.abort(reason);
    await expect(ready).rejects.toBe(reason);
    expect(counted).toEqual([]);
  });

  it('throws its reason when its client leaves', async () => {
    const { service, cancels, counted, request } = waitForever();
    const controller = new AbortController();
    const running = eventsOf(service.generate(request, controller.signal));
    const reason = new ServeError('client_closed', 'The client left.');
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
    expect([counted, cancels.size]).toEqual([['queued'], 0]);
  });
});
