import { describe, expect, it } from 'vitest';
import { SharedRoom } from '../../src/contract/shared-room.ts';
import { Random } from '../support/random.ts';
import { runs } from '../support/runs.ts';

interface Thing {
  readonly owner: string;
  readonly size: number;
}

function roomOf(things: readonly (readonly [name: string, owner: string, size: number])[]): SharedRoom<Thing> {
  const room = new SharedRoom<Thing>();
  for (const [name, owner, size] of things) room.put(name, { owner, size });
  return room;
}

const names = (room: SharedRoom<Thing>) => [...room].map(([name]) => name);

describe('a room that owners share', () => {
  it('takes from who has the most, the oldest first, and of equals from who brings something', () => {
    const room = roomOf([
      ['a1', 'ann', 30],
      ['b1', 'bob', 20],
      ['a2', 'ann', 30],
    ]);
    expect(room.roomFor('b2', { owner: 'bob', size: 20 }, { size: 100 })).toEqual([]);
    expect(room.roomFor('b2', { owner: 'bob', size: 30 }, { size: 100 })).toEqual(['a1']);
    expect(room.roomFor('b2', { owner: 'bob', size: 40 }, { size: 100 })).toEqual(['b1']);
    expect(room.roomFor('b2', { owner: 'bob', size: 30 }, { count: 3 })).toEqual(['b1']);
    expect(room.roomFor('c1', { owner: 'cem', size: 40 }, { size: 100 })).toEqual(['a1']);
  });

  it('has no room for what is larger than others leave beyond their shares, and keeps everything then', () => {
    const room = roomOf([
      ['a1', 'ann', 20],
      ['b1', 'bob', 50],
    ]);
    expect(room.roomFor('a2', { owner: 'ann', size: 51 }, { size: 100 })).toBeUndefined();
    room.keep('a2', { owner: 'ann', size: 51 }, { size: 100 });
    expect([names(room), room.size]).toEqual([['a1', 'b1'], 70]);
    room.keep('a2', { owner: 'ann', size: 45 }, { size: 100 });
    expect([names(room), room.size]).toEqual([['b1', 'a2'], 95]);
    room.keep('a3', { owner: 'ann', size: 101 }, { size: 100 });
    expect(names(room)).toEqual(['b1', 'a2']);
  });

  it('gives what is beyond a share to another who would have more by then', () => {
    const room = roomOf([['a1', 'ann', 60]]);
    expect(room.roomFor('b1', { owner: 'bob', size: 70 }, { size: 100 })).toEqual(['a1']);
    const busy = room.roomFor('b1', { owner: 'bob', size: 70 }, { size: 100 }, () => false);
    expect(busy).toBeUndefined();
  });

  it('puts the new size of a name in the place of the old one', () => {
    const room = roomOf([
      ['a1', 'ann', 60],
      ['a2', 'ann', 40],
    ]);
    expect(room.roomFor('a2', { owner: 'ann', size: 41 }, { size: 100 })).toEqual(['a1']);
    expect(room.roomFor('a1', { owner: 'ann', size: 10 }, { size: 100 })).toEqual([]);
  });

  it('holds its limits, and takes from nobody what is within his share, whatever comes', () => {
    for (let seed = 1; seed <= runs(30); seed++) {
      const random = new Random(seed);
      const room = new SharedRoom<Thing>();
      const limits = { size: 100, count: random.between(3, 12) };
      for (let step = 0; step < 60; step++) {
        const entry = { owner: random.pick(['ann', 'bob', 'cem']), size: random.between(1, 60) };
        const before = new Map([...room]);
        room.keep(String(step), entry, limits);
        const after = new Map([...room]);
        expect([...after.values()].reduce((sum, { size }) => sum + size, 0)).toBe(room.size);
        expect(room.size <= limits.size && after.size <= limits.count, `limits, seed ${seed}`).toBe(true);
        for (const owner of ['ann', 'bob', 'cem'].filter((each) => each !== entry.owner)) {
          const of = (things: ReadonlyMap<string, Thing>) =>
            [...things.values()].filter((each) => each.owner === owner);
          const owners = new Set([...before.values(), entry].map((each) => each.owner)).size;
          const size = of(before).reduce((sum, each) => sum + each.size, 0);
          if (size <= limits.size / owners && of(before).length <= limits.count / owners)
            expect(of(after), `what ${owner} had, seed ${seed}`).toEqual(of(before));
        }
      }
    }
  });
});
