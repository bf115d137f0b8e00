import { describe, expect, it } from 'vitest';
import type { JobMedium } from '../../src/engine/engine.ts';
import { MediaDesk } from '../../src/engine/loop/media-desk.ts';

const tile = { width: 1, height: 1, bytes: new Uint8Array(3) };

function image(owner: string, key: string): JobMedium {
  return { start: 0, rows: 1, columns: 1, key, owner, tile };
}

/** Encodes every image as two numbers, 8 bytes, in one piece. */
function desk(cacheBytes: number): MediaDesk {
  const begin = () => {
    let done = false;
    return {
      get done() {
        return done;
      },
      advance() {
        done = true;
        return 1;
      },
      result: new Float32Array(2),
      free: () => undefined,
    };
  };
  return new MediaDesk({ projector: { begin }, clock: () => 0, cacheBytes, pieceMs: 10 });
}

describe('encoded images', () => {
  it('of one owner push out none of another who has fewer, however many come', () => {
    const place = desk(24);
    place.rowsOf(image('bob', 'cat'), false);
    for (let each = 0; each < 8; each++) place.rowsOf(image('ann', `dog ${each}`), false);
    expect(place.encoded).toBe(9);
    place.rowsOf(image('bob', 'cat'), false);
    place.rowsOf(image('ann', 'dog 7'), false);
    expect(place.encoded).toBe(9);
    place.rowsOf(image('ann', 'dog 0'), false);
    expect(place.encoded).toBe(10);
  });
});

/**
 * An image of 12 million products, each million of so many milliseconds of a clock that nothing else moves. `least`: of
 * what can be computed at once, in millions.
 */
function slowDesk(msOfMillion: (million: number) => number, least = 1) {
  let now = 0;
  const taken: number[] = [];
  const freed: string[] = [];
  const begin = () => {
    let left = 12;
    return {
      get done() {
        return left === 0;
      },
      advance(limit: number) {
        const count = Math.min(left, Math.max(least, Math.floor(limit / 1e6 + 1e-6)));
        taken.push(count);
        for (let each = 0; each < count; each++) now += msOfMillion(12 - left--);
        return count * 1e6;
      },
      result: new Float32Array(2),
      free: () => freed.push(`with ${left} left`),
    };
  };
  const options = { clock: () => now, cacheBytes: 24, pieceMs: 10, firstPiece: 1e6 };
  return { taken, freed, place: new MediaDesk({ projector: { begin }, ...options }) };
}

/** How often it is asked until the rows are there: once between two steps. */
function timesUntilDone(place: MediaDesk, othersWait: boolean): number {
  for (let times = 1; times <= 12; times++) if (place.rowsOf(image('ann', 'cat'), othersWait)) return times;
  throw new Error('It is not encoded after as many times as it has pieces.');
}

describe('an image that is encoded while others wait', () => {
  it('lets them go on after a small piece, then after as much as fits the time that it was seen to take', () => {
    const { taken, place } = slowDesk(() => 3);
    expect(timesUntilDone(place, true)).toBe(5);
    expect(taken).toEqual([1, 3, 3, 3, 2]);
  });

  it('lets them go on after the least there is where that takes longer than the time', () => {
    const { taken, place } = slowDesk(() => 25, 2);
    expect(timesUntilDone(place, true)).toBe(6);
    expect(new Set(taken)).toEqual(new Set([2]));
  });

  it('takes less at once when it becomes slower', () => {
    const { taken, place } = slowDesk((million) => (million < 6 ? 2 : 20));
    timesUntilDone(place, true);
    expect(taken).toEqual([1, 5, 5, 1]);
  });

  it('is encoded at once when nobody waits, and what that took is known when somebody does', () => {
    const { taken, place } = slowDesk(() => 5);
    expect(timesUntilDone(place, false)).toBe(1);
    place.rowsOf(image('ann', 'dog'), true);
    expect(taken).toEqual([12, 2]);
  });

  it('lets its memory go when it is done, when another one comes before it, and at the end', () => {
    const { freed, place } = slowDesk(() => 3);
    place.rowsOf(image('ann', 'cat'), false);
    expect(freed).toEqual(['with 0 left']);
    place.rowsOf(image('ann', 'dog'), true);
    place.rowsOf(image('ann', 'cow'), true);
    place.free();
    expect(freed).toEqual(['with 0 left', 'with 9 left', 'with 9 left']);
  });
});
