import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { ask, house, never, serve, stepUntil, tokens, useLease } from './support.ts';

const clientLeft = new ServeError('client_closed', 'The client left.');

describe('scheduler', () => {
  it('grants a free slot at once', async () => {
    const { scheduler } = house();
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    expect(lease).toMatchObject({ slot: 0, reuse: 0, queueMs: 0 });
    expect(scheduler.stats()).toMatchObject({ slots: 4, running: 1, queued: 0, preparing: 0, admitted: 1 });
    lease.release();
    expect(scheduler.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it('tells whose tokens a slot holds, and of which conversation, as long as its request has the slot', async () => {
    const { scheduler } = house();
    const lease = await scheduler.admit(ask(tokens(1, 10), { owner: 'ann', sessionId: 'thread' }), never);
    expect(scheduler.on(lease.slot)).toEqual({ owner: 'ann', sessionId: 'thread' });
    expect(scheduler.on(1 - lease.slot)).toBeUndefined();
    lease.begun();
    lease.release();
    expect(scheduler.on(lease.slot)).toEqual({ owner: 'ann', sessionId: undefined });
  });

  it('counts a second release of the same lease as nothing', async () => {
    const { scheduler } = house({ slots: 1 });
    const first = await scheduler.admit(ask(tokens(1, 10)), never);
    first.release();
    const second = await scheduler.admit(ask(tokens(1, 10)), never);
    first.release();
    expect(scheduler.stats().running).toBe(1);
    second.release();
  });

  it('makes the next one wait until a slot is given back, and says how long that was', async () => {
    const { scheduler, time } = house({ slots: 1 });
    const first = await scheduler.admit(ask(tokens(1, 10)), never);
    const second = scheduler.admit(ask(tokens(2, 10)), never);
    time.advance(700);
    expect(scheduler.stats()).toMatchObject({ running: 1, queued: 1 });
    first.release();
    const lease = await second;
    expect(lease).toMatchObject({ slot: 0, queueMs: 700 });
    expect(time.pending).toBe(0);
    lease.release();
  });

  it('refuses when the queue is full, with a Retry-After from the work ahead', async () => {
    const { scheduler } = house({ slots: 1, settings: { maxQueue: 2 }, prefillRate: 1000, decodeRate: 10 });
    const lease = await scheduler.admit(ask(tokens(1, 1000), { maxTokens: 20 }), never);
    const queued = [2, 3].map((seed) => scheduler.admit(ask(tokens(seed, 500), { maxTokens: 30 }), never));
    // 2,000 prompt tokens at 1,000/s and 80 tokens at 10/s.
    await expect(scheduler.admit(ask(tokens(4, 10)), never)).rejects.toMatchObject({
      code: 'overloaded',
      message: '2 requests wait already, the limit (--max-queue). Try again in 10 s.',
      details: { retryAfterSeconds: 10 },
    });
    expect(scheduler.stats()).toMatchObject({ queued: 2, refused: { full: 1, timeout: 0, draining: 0 } });
    lease.release();
    for (const each of queued) (await each).release();
    expect(scheduler.stats()).toMatchObject({ queued: 0, running: 0 });
  });

  it('serves without any queue as long as a slot is free', async () => {
    const { scheduler } = house({ slots: 1, settings: { maxQueue: 0 } });
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    await expect(scheduler.admit(ask(tokens(2, 10)), never)).rejects.toMatchObject({ code: 'overloaded' });
    lease.release();
    (await scheduler.admit(ask(tokens(2, 10)), never)).release();
  });

  it('refuses a request that waited too long', async () => {
    const { scheduler, time } = house({ slots: 1, settings: { queueTimeoutMs: 5000 } });
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    const controller = new AbortController();
    const late = scheduler.admit(ask(tokens(2, 10)), controller.signal);
    time.advance(4999);
    expect(scheduler.stats().queued).toBe(1);
    time.advance(1);
    await expect(late).rejects.toMatchObject({
      code: 'overloaded',
      message: 'No slot became free within 5 s, the limit (--queue-timeout). Try again in 1 s.',
      details: { retryAfterSeconds: 1 },
    });
    expect(scheduler.stats()).toMatchObject({ queued: 0, refused: { full: 0, timeout: 1, draining: 0 } });
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    lease.release();
  });

  it('lets go at once of a request whose client left the queue', async () => {
    const { scheduler, time } = house({ slots: 1 });
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    const controller = new AbortController();
    const waiting = scheduler.admit(ask(tokens(2, 10)), controller.signal);
    controller.abort(clientLeft);
    expect(scheduler.stats().queued).toBe(0);
    await expect(waiting).rejects.toBe(clientLeft);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    expect(time.pending).toBe(0);
    lease.release();
  });

  it('takes nothing for a client that has left already', async () => {
    const { scheduler } = house();
    await expect(scheduler.admit(ask(tokens(1, 10)), AbortSignal.abort(clientLeft))).rejects.toBe(clientLeft);
    expect(scheduler.stats()).toMatchObject({ running: 0, queued: 0, preparing: 0 });
  });

  it('gives the slot back when the client leaves in the very turn that granted it', async () => {
    const { scheduler } = house({ slots: 1 });
    const controller = new AbortController();
    const admitted = scheduler.admit(ask(tokens(1, 10)), controller.signal);
    controller.abort(clientLeft);
    await expect(admitted).rejects.toBe(clientLeft);
    expect(scheduler.stats()).toMatchObject({ running: 0, preparing: 0 });
    (await scheduler.admit(ask(tokens(2, 10)), never)).release();
  });

  it('takes no new requests while draining, and still serves those who wait', async () => {
    const { scheduler } = house({ slots: 1 });
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    const waiting = scheduler.admit(ask(tokens(2, 10)), never);
    scheduler.drain();
    await expect(scheduler.admit(ask(tokens(3, 10)), never)).rejects.toMatchObject({ code: 'draining' });
    lease.release();
    (await waiting).release();
    expect(scheduler.stats()).toMatchObject({ running: 0, queued: 0, refused: { full: 0, timeout: 0, draining: 1 } });
  });

  it('gives the slot to the next one when a run fails', async () => {
    const place = house({ slots: 1 });
    const first = serve(place, ask(tokens(1, 10)));
    const second = serve(place, ask(tokens(2, 10)));
    await place.engine.step();
    place.engine.failNextStep();
    await expect(stepUntil(place.engine, first, 'failing run')).rejects.toMatchObject({ code: 'engine_failure' });
    expect((await stepUntil(place.engine, second, 'next run')).output.length).toBe(4);
    expect(place.scheduler.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it('keeps a conversation on its slot and reuses all of it', async () => {
    const place = house({ slots: 2 });
    const first = ask(tokens(1, 50), { sessionId: 'a' });
    const one = await stepUntil(place.engine, serve(place, first), 'first turn');
    await stepUntil(place.engine, serve(place, ask(tokens(2, 80), { sessionId: 'b' })), 'somebody else');
    const second = ask([...first.prompt, ...one.output, ...tokens(3, 10)], { sessionId: 'a' });
    const lease = await place.scheduler.admit(second, never);
    // The last generated token was never evaluated.
    expect(lease).toMatchObject({ slot: one.slot, reuse: 53 });
    expect((await stepUntil(place.engine, useLease(place, second, lease), 'second turn')).cachedTokens).toBe(53);
  });

  it('leaves one token to evaluate when the slot holds the whole prompt', async () => {
    const place = house();
    const same = ask(tokens(1, 50));
    const first = await stepUntil(place.engine, serve(place, same), 'first');
    const again = await stepUntil(place.engine, serve(place, same), 'again');
    expect(again).toEqual({ ...first, cachedTokens: 49 });
  });

  it('reuses nothing for a request that does not want it', async () => {
    const place = house({ slots: 1 });
    const same = ask(tokens(1, 50), { cachePrompt: false });
    await stepUntil(place.engine, serve(place, same), 'first');
    expect((await stepUntil(place.engine, serve(place, same), 'again')).cachedTokens).toBe(0);
  });
});
