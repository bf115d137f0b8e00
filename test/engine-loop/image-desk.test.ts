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
