import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { SlotView } from '../../src/scheduler/choose.ts';
import { choose } from '../../src/scheduler/choose.ts';
import { ask, house, never, serve, stepUntil, tokens, useLease } from './support.ts';

/** An answer whose tools run between its rounds: it comes back for a slot, at the place that it had. */
describe('later rounds of an answer', () => {
  it('go before everything of their key that came after the answer began, and behind what came before', async () => {
    const { scheduler, time } = house({ slots: 1 });
    const owner = 'ann';
    time.advance(1000);
    const running = await scheduler.admit(ask(tokens(1, 10), { owner }), never);
    const order: string[] = [];
    const queued = (name: string, more: object = {}) =>
      scheduler.admit(ask(tokens(order.length + 2, 10), { owner, ...more }), never).then((lease) => {
        order.push(name);
        lease.release();
      });
    // The tools ran for five seconds, in which two others came; a third had waited before the answer began.
    time.advance(5000);
    const all = [
      queued('new'),
      queued('newer'),
      queued('later round', { since: 1000 }),
      queued('before it', { since: 500 }),
    ];
    running.release();
    await Promise.all(all);
    expect(order).toEqual(['before it', 'later round', 'new', 'newer']);
  });

  it('are refused neither by a full queue nor by a drain, and wait without a limit', async () => {
    const { scheduler, time } = house({ slots: 1, settings: { maxQueue: 1, queueTimeoutMs: 1000 } });
    const running = await scheduler.admit(ask(tokens(1, 10)), never);
    const waiting = scheduler.admit(ask(tokens(2, 10)), never);
    waiting.catch(() => undefined);
    await expect(scheduler.admit(ask(tokens(3, 10)), never)).rejects.toMatchObject({ code: 'overloaded' });
    const later = scheduler.admit(ask(tokens(4, 10), { since: 0 }), never);
    time.advance(2000);
    await expect(waiting).rejects.toBeInstanceOf(ServeError);
    scheduler.drain();
    await expect(scheduler.admit(ask(tokens(5, 10)), never)).rejects.toMatchObject({ code: 'draining' });
    expect(scheduler.stats().queued).toBe(1);
    running.release();
    (await later).release();
    expect(scheduler.stats()).toMatchObject({ running: 0, queued: 0 });
  });

  it('find their tokens: while tools run the slot is free for others, who take another one first', async () => {
    const place = house({ slots: 2, settings: { prefixCacheBytes: 0 } });
    const { scheduler, engine, time } = place;
    const first = ask(tokens(1, 300));
    const lease = await scheduler.admit(first, never);
    const done = useLease(place, first, { ...lease, release: () => lease.release({ comesBack: true }) });
    await stepUntil(engine, done, 'the first round');
    // Two more came and went on the other slot, used later than the one that waits for its answer.
    for (const seed of [2, 3]) {
      time.advance(1000);
      const other = serve(place, ask(tokens(seed, 400)));
      await stepUntil(engine, other, 'another');
      expect((await other).slot).toBe(1 - lease.slot);
    }
    expect(scheduler.stats().running).toBe(0);
    const { output } = await done;
    const next = serve(place, ask([...first.prompt, ...output, ...tokens(9, 20)], { since: 0 }));
    await stepUntil(engine, next, 'the next round');
    const { slot, cachedTokens } = await next;
    expect(slot).toBe(lease.slot);
    expect(cachedTokens / (first.prompt.length + output.length)).toBeGreaterThanOrEqual(0.95);
  });

  it('lose their tokens only where everything else is dearer', () => {
    const now = 100_000;
    const view = (id: number, length: number, comesBack: boolean): SlotView => ({
      id,
      tokens: tokens(id + 1, length),
      scope: '',
      free: true,
      usedAt: now - 1000,
      comesBack,
    });
    const situation = {
      now,
      snapshots: [],
      canCopy: true,
      shares: { held: new Map<string, number>(), served: new Map<string, number>() },
      expectedOutput: () => 4,
    };
    const request = { admission: ask(tokens(9, 50)), arrivedAt: now };
    const slotOf = (slots: SlotView[]) => choose([request], { ...situation, slots })?.slot;
    expect(slotOf([view(0, 200, false), view(1, 300, false)])).toBe(0);
    expect(slotOf([view(0, 200, true), view(1, 300, false)])).toBe(1);
    expect(slotOf([view(0, 200, true), view(1, 2000, false)])).toBe(0);
    expect(slotOf([view(0, 200, true), view(1, 300, true)])).toBe(0);
  });
});
