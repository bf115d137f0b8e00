import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { QueuePlace } from '../../src/scheduler/admission.ts';
import { nextOwner } from '../../src/scheduler/turns.ts';
import { ask, house, never, serve, stepUntil, tokens, useLease } from './support.ts';

const ann = (seed: number, more = {}) => ask(tokens(seed, 20), { owner: 'ann', maxTokens: 3, ...more });
const bob = (seed: number, more = {}) => ask(tokens(seed, 20), { owner: 'bob', maxTokens: 3, ...more });

describe('whose turn it is', () => {
  const lines = [
    { owner: 'ann', rank: 1 },
    { owner: 'bob', rank: 2 },
    { owner: 'cy', rank: 3 },
  ];

  it.each([
    ['who came first, where nobody has anything', {}, {}, 'ann'],
    ['who holds the fewest slots', { ann: 2, bob: 1, cy: 2 }, {}, 'bob'],
    ['who got one longest ago', { ann: 1, bob: 1, cy: 1 }, { ann: 3, bob: 5, cy: 1 }, 'cy'],
    ['who never got one', { ann: 1 }, { ann: 1, cy: 2 }, 'bob'],
  ])('%s', (_, held, served, expected) => {
    const shares = { held: new Map(Object.entries(held)), served: new Map(Object.entries(served)) };
    expect(nextOwner(lines, shares)).toBe(expected);
  });
});

describe('slots', () => {
  it('go to whoever has none, however many another has waiting', async () => {
    const place = house({ slots: 2, settings: { maxQueue: 100 } });
    const order: string[] = [];
    const run = async (name: string, request: ReturnType<typeof ann>) => {
      const lease = await place.scheduler.admit(request, new AbortController().signal);
      order.push(name);
      return lease;
    };
    const running = [await run('ann', ann(0)), await run('ann', ann(1))];
    const waiting = Array.from({ length: 40 }, (_, index) => run('ann', ann(index + 2)));
    const late = run('bob', bob(90));
    running[0]?.release();
    await late;
    expect(order).toEqual(['ann', 'ann', 'bob']);
    const second = run('bob', bob(91));
    running[1]?.release();
    // One slot each: ann is next, since bob was served last.
    await waiting[0];
    expect(order.slice(3)).toEqual(['ann']);
    (await late).release();
    await second;
    expect(order.slice(3)).toEqual(['ann', 'bob']);
  });

  it('that become free are whose turn it is within two steps, with 40 of another’s waiting', async () => {
    const place = house({ slots: 2, stepTokens: 64, settings: { maxQueue: 100 } });
    const firstTokens: { readonly owner: string; readonly step: number }[] = [];
    const run = async (request: ReturnType<typeof ann>) => {
      const lease = await place.scheduler.admit(request, new AbortController().signal);
      const output: number[] = [];
      const used = useLease(place, request, lease, new AbortController().signal, output);
      while (output.length === 0) await nextTurn();
      firstTokens.push({ owner: request.owner ?? '', step: place.engine.stats().steps });
      await used;
    };
    const all = Array.from({ length: 42 }, (_, index) => run(ann(index)));
    all.push(run(bob(90)));
    const free = { step: 0 };
    while (free.step === 0) {
      await place.engine.step();
      await nextTurn();
      if (place.scheduler.stats().admitted > 2) free.step = place.engine.stats().steps;
    }
    for (let step = 0; step < 2; step++) {
      await place.engine.step();
      await nextTurn();
    }
    expect(firstTokens.find(({ owner }) => owner === 'bob')?.step).toBeLessThanOrEqual(free.step + 2);
    await stepUntil(place.engine, Promise.all(all), 'all');
  });

  it('are shared evenly by two who both have many waiting, from the first free slot on', async () => {
    const place = house({ slots: 4, stepTokens: 64, settings: { maxQueue: 100 } });
    const served: string[] = [];
    const begin = (name: string, request: ReturnType<typeof ann>) =>
      serve(place, request).then(() => served.push(name));
    const all = [
      ...Array.from({ length: 12 }, (_, index) => begin('ann', ann(index))),
      ...Array.from({ length: 12 }, (_, index) => begin('bob', bob(index + 50))),
    ];
    await stepUntil(place.engine, Promise.all(all), 'both');
    // The first four were ann's alone, nobody else being there.
    const third = served.slice(4, 16).filter((name) => name === 'bob').length;
    expect(third).toBeGreaterThanOrEqual(6);
  });

  it('are ordered by priority inside a key only', async () => {
    const place = house({ slots: 1 });
    const order: string[] = [];
    /** Gives its slot back at once. */
    const pass = async (name: string, request: ReturnType<typeof ann>) => {
      const lease = await place.scheduler.admit(request, never);
      order.push(name);
      lease.release();
    };
    const first = await place.scheduler.admit(ann(1), never);
    const waiting = [
      pass('ann, most important', ann(2, { priority: 5 })),
      pass('bob, least important', bob(3, { priority: 1 })),
      pass('bob, more important', bob(4, { priority: 2 })),
    ];
    first.release();
    await Promise.all(waiting);
    expect(order).toEqual(['bob, more important', 'ann, most important', 'bob, least important']);
  });
});

describe('a full queue', () => {
  it('has one place more for an owner that has none in it', async () => {
    const place = house({ slots: 1, settings: { maxQueue: 3 } });
    const lease = await place.scheduler.admit(ann(1), never);
    const waiting = [2, 3, 4].map((seed) => place.scheduler.admit(ann(seed), never));
    await expect(place.scheduler.admit(ann(5), never)).rejects.toMatchObject({ code: 'overloaded' });
    const places: QueuePlace[] = [];
    const first = place.scheduler.admit(bob(6, { onPlace: (at: QueuePlace) => places.push(at) }), never);
    await expect(place.scheduler.admit(bob(7), never)).rejects.toMatchObject({ code: 'overloaded' });
    expect(places).toMatchObject([{ position: 1 }]);
    lease.release();
    (await first).release();
    for (const each of waiting) (await each).release();
  });
});
