import { describe, expect, it } from 'vitest';
import type { JobImage } from '../../src/engine/engine.ts';
import { ImageDesk } from '../../src/engine/loop/image-desk.ts';

const tile = { width: 1, height: 1, bytes: new Uint8Array(3) };

function image(owner: string, key: string): JobImage {
  return { start: 0, rows: 1, columns: 1, lines: 1, key, owner, tile };
}

/** Encodes every image as two numbers, 8 bytes, in one piece. */
function desk(cacheBytes: number): ImageDesk {
  const begin = () => {
    let left = 1;
    return {
      get left() {
        return left;
      },
      advance() {
        left = 0;
        return true;
      },
      result: new Float32Array(2),
    };
  };
  return new ImageDesk({ projector: { begin }, clock: () => 0, cacheBytes, pieceMs: 10 });
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

/** An image of twelve pieces, each of so many milliseconds of a clock that nothing else moves. */
function slowDesk(msOfPiece: (piece: number) => number) {
  let now = 0;
  const asked: number[] = [];
  const begin = () => {
    let left = 12;
    return {
      get left() {
        return left;
      },
      advance(pieces = left) {
        const count = Math.min(pieces, left);
        asked.push(count);
        for (let each = 0; each < count; each++) now += msOfPiece(12 - left--);
        return true;
      },
      result: new Float32Array(2),
    };
  };
  return { asked, place: new ImageDesk({ projector: { begin }, clock: () => now, cacheBytes: 24, pieceMs: 10 }) };
}

/** How often it is asked until the rows are there: once between two steps. */
function timesUntilDone(place: ImageDesk, othersWait: boolean): number {
  for (let times = 1; times <= 12; times++) if (place.rowsOf(image('ann', 'cat'), othersWait)) return times;
  throw new Error('It is not encoded after as many times as it has pieces.');
}

describe('an image that is encoded while others wait', () => {
  it('lets them go on after one piece, then after as many as fit the time that a piece was seen to take', () => {
    const { asked, place } = slowDesk(() => 3);
    expect(timesUntilDone(place, true)).toBe(5);
    expect(asked).toEqual([1, 3, 3, 3, 2]);
  });

  it('lets them go on after each piece where one takes longer than the time', () => {
    const { asked, place } = slowDesk(() => 25);
    expect(timesUntilDone(place, true)).toBe(12);
    expect(new Set(asked)).toEqual(new Set([1]));
  });

  it('takes fewer pieces at once when they become slower', () => {
    const { asked, place } = slowDesk((piece) => (piece < 6 ? 2 : 20));
    timesUntilDone(place, true);
    expect(asked).toEqual([1, 5, 5, 1]);
  });

  it('is encoded at once when nobody waits', () => {
    const { asked, place } = slowDesk(() => 25);
    expect(timesUntilDone(place, false)).toBe(1);
    expect(asked).toEqual([12]);
  });
});
