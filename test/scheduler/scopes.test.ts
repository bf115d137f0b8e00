import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { Admission } from '../../src/scheduler/admission.ts';
import { Random } from '../support/random.ts';
import { runs } from '../support/runs.ts';
import { expectSame } from '../support/same.ts';
import { ask, type House, house, never, serve, stepUntil, tokens, useLease } from './support.ts';

const secret = tokens(1, 300);
const ann = (prompt: readonly number[], more: Partial<Admission> = {}) => ask(prompt, { scope: 'ann', ...more });
const bob = (prompt: readonly number[], more: Partial<Admission> = {}) => ask(prompt, { scope: 'bob', ...more });

const served = (place: House, request: Admission) => stepUntil(place.engine, serve(place, request), 'a request');

describe('evaluated tokens', () => {
  it.each([
    ['on the same slot', { slots: 1 }],
    ['on the same slot, without memory', { slots: 1, settings: { prefixCacheBytes: 0 } }],
    ['on another slot', { slots: 2 }],
    ['on an engine that cannot move state', { slots: 2, snapshots: false as const }],
  ])('of one scope are not there for another %s, and are for their own', async (_, options) => {
    const place = house(options);
    await served(place, ann(secret));
    expect(await served(place, bob(secret))).toMatchObject({ cachedTokens: 0 });
    expect(place.engine.stats().prefillTokens).toBe(600);
    expect(await served(place, bob(secret))).toMatchObject({ cachedTokens: 299 });
  });

  it('are kept in memory for their own scope when another takes their slot', async () => {
    const place = house({ slots: 1 });
    await served(place, ann(secret));
    await served(place, bob(secret));
    expect(await served(place, ann(secret))).toMatchObject({ cachedTokens: 299 });
    // The same tokens are kept twice: bob's must not be told by ann's.
    expect(await served(place, bob(secret))).toMatchObject({ cachedTokens: 299 });
    expect(place.scheduler.stats().snapshots).toBe(2);
  });

  it('of one owner push out none of another who has less, however many come', async () => {
    // 100 bytes a token: room for three prompts of 303 tokens.
    const place = house({ slots: 1, settings: { prefixCacheBytes: 95_000 } });
    const of = (owner: string, seed: number) => ask(tokens(seed, 300), { scope: owner, owner });
    await served(place, of('bob', 1));
    for (let seed = 10; seed < 20; seed++) await served(place, of('ann', seed));
    // With one salt for each request a key has as many scopes, and still one share.
    for (let seed = 20; seed < 30; seed++) await served(place, { ...of('ann', seed), scope: `ann ${seed}` });
    expect(place.scheduler.stats().snapshots).toBe(3);
    expect(await served(place, of('bob', 1))).toMatchObject({ cachedTokens: 299 });
    expect(await served(place, of('ann', 19))).toMatchObject({ cachedTokens: 0 });
  });

  it('of a request that said so serve nobody, itself included', async () => {
    const place = house({ slots: 2 });
    const silent = ann(secret, { cachePrompt: false, scope: undefined });
    await served(place, silent);
    expect(await served(place, ann(secret))).toMatchObject({ cachedTokens: 0 });
    const alone = house({ slots: 1 });
    await served(alone, silent);
    expect(await served(alone, silent)).toMatchObject({ cachedTokens: 0 });
    expect(await served(alone, ann(tokens(9, 200)))).toMatchObject({ cachedTokens: 0 });
    expect(alone.scheduler.stats().snapshots).toBe(0);
  });

  it('are not waited for across scopes', async () => {
    const place = house({ slots: 2, stepTokens: 64 });
    const first = serve(place, ann(secret));
    const second = serve(place, bob(secret));
    await place.engine.step();
    expect(place.scheduler.stats()).toMatchObject({ running: 2, preparing: 0 });
    const results = await stepUntil(place.engine, Promise.all([first, second]), 'both');
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 0]);
  });

  it.each([
    ['empty slots', []],
    ['slots of another scope', [ann(tokens(7, 400)), ann(tokens(8, 400))]],
    ['slots that hold the very same of another scope', [ann(secret), ann(secret.slice(0, 250))]],
  ])('are evaluated once for requests of a scope that come together, on %s', async (_, before) => {
    const place = house({ slots: 2, stepTokens: 64 });
    await stepUntil(place.engine, Promise.all(before.map((request) => serve(place, request))), 'those before');
    const evaluated = place.engine.stats().prefillTokens;
    const both = [1, 2].map((seed) => serve(place, bob([...secret, 251, ...tokens(seed + 20, 9)])));
    const results = await stepUntil(place.engine, Promise.all(both), 'both');
    expect(results.map(({ cachedTokens }) => cachedTokens)).toEqual([0, 301]);
    expect(place.engine.stats().prefillTokens - evaluated).toBe(310 + 9);
  });

  it('stay their owner’s when a request of another scope gives its slot back before it ran', async () => {
    const place = house({ slots: 1 });
    await served(place, ann(secret));
    const lease = await place.scheduler.admit(bob(secret), never);
    expect(lease.reuse).toBe(0);
    lease.release();
    const again = await place.scheduler.admit(ann(secret), never);
    expect(again.reuse).toBe(299);
    again.release();
    expect(await served(place, bob(secret))).toMatchObject({ cachedTokens: 0 });
  });
});

interface Visit {
  readonly who: 'ann' | 'bob';
  readonly prompt: readonly number[];
  readonly more: Partial<Admission>;
  /** Steps of the engine before the next visit. */
  readonly steps: number;
  /** Steps after which it leaves. */
  readonly leaves: number | undefined;
}

/** Ann's texts, and bob's guesses of them: right, right at first, and wrong. */
function visits(random: Random): Visit[] {
  return Array.from({ length: random.between(3, 10) }, () => {
    const who = random.pick(['ann', 'bob'] as const);
    const beginning = tokens(random.between(1, 2), 90).slice(0, random.between(0, 90));
    const prompt = [...beginning, ...tokens(random.between(3, 6), random.between(1, 60))];
    const more = {
      maxTokens: random.between(0, 3),
      checkpoints: [random.between(20, 90)],
      ...(random.chance(0.3) && { sessionId: `session ${random.between(1, 2)}` }),
    };
    return {
      who,
      prompt,
      more,
      steps: random.between(0, 4),
      leaves: random.chance(0.3) ? random.between(0, 3) : undefined,
    };
  });
}

/** What bob sees of a day: of each of his requests where it ran, what was cached, and how long it waited. */
async function seenByBob(day: readonly Visit[], place: House, disguise: (token: number) => number): Promise<unknown[]> {
  const seen: unknown[] = [];
  const inFlight: Promise<void>[] = [];
  const left = new ServeError('client_closed', 'The client left.');
  for (const { who, prompt, more, steps, leaves } of day) {
    const controller = new AbortController();
    const request = ask(who === 'ann' ? prompt.map(disguise) : prompt, { ...more, owner: who, scope: who });
    const index = seen.length;
    if (who === 'bob') seen.push('waits');
    const visit = async () => {
      try {
        const lease = await place.scheduler.admit(request, controller.signal);
        const { cachedTokens } = await useLease(place, request, lease, controller.signal);
        if (who === 'bob') seen[index] = { slot: lease.slot, cachedTokens, steps: place.engine.stats().steps };
      } catch (error) {
        if (error !== left) throw error;
        if (who === 'bob') seen[index] = { left: place.engine.stats().steps };
      }
    };
    inFlight.push(visit());
    for (let step = 0; step < steps; step++) {
      if (step === leaves) controller.abort(left);
      await place.engine.step();
    }
    if (leaves !== undefined && leaves >= steps) controller.abort(left);
  }
  await stepUntil(place.engine, Promise.all(inFlight), 'the day');
  return seen;
}

it('of one scope change nothing that another sees, whether it guesses them or not, in 300 random days', async () => {
  for (let seed = 1; seed <= runs(300); seed++) {
    const random = new Random(seed);
    const day = visits(random);
    const options = {
      slots: random.between(1, 3),
      stepTokens: random.between(16, 64),
      snapshots: random.pick([true, 'slow', false] as const),
      settings: { maxQueue: 20, prefixCacheBytes: random.pick([0, 20_000, 100_000]) },
    };
    const asTheyAre = await seenByBob(day, house(options), (token) => token);
    const disguised = await seenByBob(day, house(options), (token) => (token + 97) % 250);
    expectSame(asTheyAre, disguised, `seed ${seed}`);
  }
});
