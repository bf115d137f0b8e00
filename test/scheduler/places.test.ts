import { describe, expect, it } from 'vitest';
import type { QueuePlace } from '../../src/scheduler/admission.ts';
import type { Rates, Work } from '../../src/scheduler/waits.ts';
import { waitsMs } from '../../src/scheduler/waits.ts';
import { ask, house, never, tokens } from './support.ts';

const work = (prefillTokens: number, decodeTokens: number): Work => ({ prefillTokens, decodeTokens });
const rates: Rates = { prefillRate: 1000, decodeRate: 100 };

describe('the estimated waits', () => {
  it.each<[string, readonly Work[], readonly Work[], number, readonly number[]]>([
    ['nobody waits', [work(0, 100)], [], 1, []],
    ['a slot is free', [work(0, 100)], [work(0, 100)], 2, [0]],
    ['one slot: each waits for all before it', [work(500, 50)], [work(0, 100), work(0, 50)], 1, [1000, 2000]],
    [
      'two that run share the engine: the shorter one needs twice its time',
      [work(0, 10), work(0, 30)],
      [work(0, 1)],
      2,
      [200],
    ],
    ['who comes in shares it too', [work(0, 10), work(0, 30)], [work(0, 20), work(0, 1)], 2, [200, 600]],
    ['of two that end together both make room', [work(0, 10), work(0, 10)], [work(0, 5), work(0, 5)], 2, [200, 200]],
  ])('%s', (_, running, waiting, slots, expected) => {
    expect(waitsMs({ running, waiting, slots }, rates)).toEqual(expected);
  });

  it.each([
    { prefillRate: undefined, decodeRate: 100 },
    { prefillRate: 1000, decodeRate: 0 },
  ])('are not made up before anything was measured: %o', (unmeasured) => {
    expect(waitsMs({ running: [work(1, 1)], waiting: [work(1, 1)], slots: 1 }, unmeasured)).toBeUndefined();
  });
});

describe('places in the queue', () => {
  it('are told when a request has to wait and whenever they change, and to nobody who has a slot', async () => {
    const { scheduler, time } = house({ slots: 1, prefillRate: 1000, decodeRate: 100 });
    const told: Record<string, QueuePlace[]> = { a: [], b: [], c: [], d: [] };
    const admit = (name: string, more: object = {}, signal = never) => {
      time.advance(300);
      const onPlace = (place: QueuePlace) => void told[name]?.push(place);
      return scheduler.admit(ask(tokens(name.charCodeAt(0), 500), { maxTokens: 50, onPlace, ...more }), signal);
    };
    const leaving = new AbortController();
    const first = await admit('a');
    const second = admit('b');
    const third = admit('c', {}, leaving.signal);
    third.catch(() => undefined);
    // More important: it goes before those who wait.
    const fourth = admit('d', { priority: 5 });
    leaving.abort();
    first.release();
    (await fourth).release();
    (await second).release();
    expect(told).toEqual({
      a: [],
      b: [
        { position: 1, etaMs: 1000 },
        { position: 2, etaMs: 2000 },
        // Nobody has written a token so far: now they are expected to be few.
        { position: 1, etaMs: 510 },
      ],
      c: [
        { position: 2, etaMs: 2000 },
        { position: 3, etaMs: 3000 },
      ],
      d: [{ position: 1, etaMs: 1000 }],
    });
  });

  it('are not told to one that the queue has no place for', async () => {
    const { scheduler } = house({ slots: 1, settings: { maxQueue: 0 } });
    const lease = await scheduler.admit(ask(tokens(1, 10)), never);
    const places: QueuePlace[] = [];
    const refused = scheduler.admit(ask(tokens(2, 10), { onPlace: (place) => places.push(place) }), never);
    await expect(refused).rejects.toMatchObject({ code: 'overloaded' });
    expect(places).toEqual([]);
    lease.release();
  });
});
