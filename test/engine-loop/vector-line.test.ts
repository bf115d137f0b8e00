import { describe, expect, it } from 'vitest';
import { VectorLine } from '../../src/engine/loop/vector-line.ts';
import { VectorTask } from '../../src/engine/loop/vector-task.ts';

function task(id: number, owner: string): VectorTask {
  const listener = { tell: () => undefined, refuse: () => undefined };
  return new VectorTask({ id, owner, about: 'embed' }, [Int32Array.of(1)], listener);
}

/** The ids in the order in which they get their batches; each needs so many. */
function turns(line: VectorLine, batches: (id: number) => number): number[] {
  const had = new Map<number, number>();
  const order: number[] = [];
  for (let next = line.take(); next; next = line.take()) {
    const { id } = next;
    order.push(id);
    had.set(id, (had.get(id) ?? 0) + 1);
    if ((had.get(id) ?? 0) < batches(id)) line.add(next);
  }
  return order;
}

describe('those who wait for vectors', () => {
  it('take turns by owners, and inside an owner’s line by requests', () => {
    const line = new VectorLine();
    for (const [id, owner] of [
      [1, 'ann'],
      [2, 'ann'],
      [3, 'ann'],
      [4, 'bob'],
      [5, 'bob'],
    ] as const)
      line.add(task(id, owner));
    expect(turns(line, (id) => (id === 1 ? 3 : 1))).toEqual([1, 4, 2, 5, 3, 1, 1]);
  });

  it('come after the batch under way, where others had one already', () => {
    const line = new VectorLine();
    for (let id = 0; id < 40; id++) line.add(task(id, 'ann'));
    expect([line.take()?.id, line.take()?.id]).toEqual([0, 1]);
    line.add(task(100, 'bob'));
    line.add(task(101, 'bob'));
    expect([line.take()?.id, line.take()?.id, line.take()?.id]).toEqual([100, 2, 101]);
  });

  it('leave from anywhere in the line, once', () => {
    const line = new VectorLine();
    for (const [id, owner] of [
      [1, 'ann'],
      [2, 'ann'],
      [3, 'bob'],
    ] as const)
      line.add(task(id, owner));
    expect([line.remove(2)?.id, line.remove(2), line.remove(3)?.id]).toEqual([2, undefined, 3]);
    expect([line.take()?.id, line.take()]).toEqual([1, undefined]);
  });

  it('are all gone when it is cleared', () => {
    const line = new VectorLine();
    line.add(task(1, 'ann'));
    line.add(task(2, 'bob'));
    expect(line.clear().map(({ id }) => id)).toEqual([1, 2]);
    expect(line.take()).toBeUndefined();
  });
});
