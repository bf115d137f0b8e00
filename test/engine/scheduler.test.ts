import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { commonPrefix } from '../../src/engine/prefix.ts';
import type { Scheduler } from '../../src/scheduler/scheduler.ts';
import { createScheduler } from '../../src/scheduler/scheduler.ts';
import { within } from '../engine-contract/subject.ts';
import { ask, never, useLease } from '../scheduler/support.ts';
import { loadDemoModel } from '../support/demo-engine.ts';

describe('scheduler on the demo model', () => {
  let engine: Engine;
  beforeAll(async () => {
    ({ engine } = await loadDemoModel({ slots: 4, contextSize: 2304, batchSize: 64 }));
  });
  afterAll(() => engine.dispose());

  const fresh = (prefixCacheBytes = 100_000_000): Scheduler =>
    createScheduler({
      engine,
      clock: () => performance.now(),
      timers: {
        after: (milliseconds, callback) => {
          const timer = setTimeout(callback, milliseconds);
          return () => clearTimeout(timer);
        },
      },
      settings: { maxQueue: 16, queueTimeoutMs: 60_000, prefixCacheBytes },
    });
  const tokens = (text: string) => engine.text.tokenize([text], { special: false });

  async function serve(scheduler: Scheduler, prompt: readonly number[], signal = never) {
    const request = ask(prompt, { maxTokens: 8 });
    const lease = await within(scheduler.admit(request, signal), 'admission');
    return within(useLease({ engine }, request, lease, signal), 'run');
  }

  it('evaluates a system prompt that 8 users share once, and gives everybody the answer of a fresh slot', async () => {
    const system = (await tokens('You help people who keep bees. Be brief, be kind. '.repeat(60))).slice(0, 600);
    const users = await Promise.all(
      ['one hive', 'two hives', 'honey', 'wax', 'queens', 'winter', 'mites', 'swarms'].map((topic) =>
        tokens(` ${topic}?`),
      ),
    );
    const prompts = users.map((user) => [...system, ...user]);
    const before = engine.stats().prefillTokens;
    const scheduler = fresh();
    const answers = await Promise.all(prompts.map((prompt) => serve(scheduler, prompt)));
    const evaluated = engine.stats().prefillTokens - before;
    const least = 600 + users.reduce((sum, user) => sum + user.length, 0);
    expect(evaluated).toBeGreaterThanOrEqual(least - 8);
    expect(evaluated).toBeLessThanOrEqual(least + 8);
    for (const [index, prompt] of prompts.entries()) {
      const request = ask(prompt, { maxTokens: 8 });
      const alone = await useLease({ engine }, request, {
        slot: 0,
        reuse: 0,
        queueMs: 0,
        begun: () => undefined,
        release: () => undefined,
      });
      expect(answers[index]?.output).toEqual(alone.output);
    }
    expect(scheduler.stats()).toMatchObject({ queued: 0, preparing: 0, running: 0, admitted: 8 });
  });

  it('brings a conversation back whose slot was taken, with the same answer', async () => {
    const scheduler = fresh();
    const conversations = await Promise.all(
      ['ants', 'bats', 'cats', 'dogs', 'eels'].map(async (topic) =>
        (await tokens(`Tell me all about ${topic} and what ${topic} eat. `.repeat(40))).slice(0, 300),
      ),
    );
    for (const conversation of conversations) await serve(scheduler, conversation);
    const held = (conversation: readonly number[]) =>
      engine.slots().some((slot) => commonPrefix(slot.tokens, conversation) > 100);
    const gone = conversations.find((conversation) => !held(conversation));
    if (!gone) throw new Error('four slots hold five conversations');
    const again = [...gone, ...(await tokens(' And then?'))];
    const result = await serve(scheduler, again);
    expect(result.cachedTokens).toBeGreaterThanOrEqual(300);
    expect(scheduler.stats().prefixTokens.restored).toBe(result.cachedTokens);
    const fromNothing = await serve(fresh(0), again);
    expect(result.output).toEqual(fromNothing.output);
  });

  it('frees the slot within two steps when the client leaves during the prefill', async () => {
    const scheduler = fresh();
    const controller = new AbortController();
    const reason = new ServeError('client_closed', 'The client left.');
    const request = ask((await tokens('An endless story about a sea. '.repeat(400))).slice(0, 2000));
    expect(request.prompt).toHaveLength(2000);
    const lease = await within(scheduler.admit(request, controller.signal), 'admission');
    const served = useLease({ engine }, request, lease, controller.signal);
    await within(engine.whenHeld(lease.slot, 64, never), 'first piece');
    expect(engine.slots()[lease.slot]?.phase).toBe('prefill');
    const { steps } = engine.stats();
    controller.abort(reason);
    await expect(within(served, 'cancelled run')).rejects.toBe(reason);
    expect(engine.stats().steps - steps).toBeLessThanOrEqual(2);
    expect(engine.slots()[lease.slot]?.phase).toBe('idle');
    expect(engine.slots()[lease.slot]?.tokens.length).toBeLessThan(2000);
    expect(scheduler.stats()).toMatchObject({ running: 0, preparing: 0, queued: 0 });
  });
});
