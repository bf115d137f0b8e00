import { describe, expect, it } from 'vitest';
import { VectorTask } from '../../src/engine/loop/vector-task.ts';
import type { Answer } from '../../src/engine/remote/protocol.ts';

/** The first token names the input. */
const input = (name: number, length: number) => Int32Array.from({ length }, (_, at) => (at === 0 ? name : 0));

function task(about: 'embed' | 'rank', ...lengths: number[]) {
  const answers: Answer[] = [];
  const refusals: unknown[] = [];
  const inputs = lengths.map((length, name) => input(name, length));
  const listener = { tell: (answer: Answer) => answers.push(answer), refuse: (error: unknown) => refusals.push(error) };
  return { task: new VectorTask({ id: 1, owner: '', about }, inputs, listener), answers, refusals };
}

/** Batch by batch, with a vector that names its input. */
function work(on: VectorTask, batchTokens: number, most: number): number[][] {
  const batches: number[][] = [];
  while (!on.done) {
    const names = on.next(batchTokens, most).map(([name]) => name ?? -1);
    if (names.length === 0) throw new Error('An input that never fits.');
    on.take(names.map((name) => Float32Array.of(name)));
    batches.push(names);
  }
  return batches;
}

describe("a caller's inputs", () => {
  it('share batches, the shortest first, and get their vectors in their own order', () => {
    const { task: embed, answers } = task('embed', 5, 2, 9, 3, 1);
    expect(embed.longest).toBe(9);
    expect(work(embed, 10, 8)).toEqual([[4, 1, 3], [0], [2]]);
    embed.finish();
    expect(answers).toEqual([{ about: 'embed', vectors: [0, 1, 2, 3, 4].map((name) => Float32Array.of(name)) }]);
  });

  it('are no more in a batch than it has sequences', () => {
    expect(work(task('embed', 1, 1, 1, 1, 1).task, 100, 2)).toEqual([[0, 1], [2, 3], [4]]);
  });

  it('fill a batch to its last token', () => {
    expect(work(task('embed', 4, 4, 4).task, 8, 32)).toEqual([[0, 1], [2]]);
  });

  it('give scores where they are ranked', () => {
    const { task: rank, answers } = task('rank', 2, 1);
    work(rank, 10, 8);
    rank.finish();
    expect(answers).toEqual([{ about: 'rank', scores: [0, 1] }]);
  });

  it('are not evaluated where there is nothing to read', () => {
    const embed = task('embed', 0, 3);
    expect([embed.task.done, work(embed.task, 10, 8)]).toEqual([false, [[1]]]);
    embed.task.finish();
    expect(embed.answers).toEqual([{ about: 'embed', vectors: [new Float32Array(0), Float32Array.of(1)] }]);
    const rank = task('rank', 0);
    expect(rank.task.done).toBe(true);
    rank.task.finish();
    expect(rank.answers).toEqual([{ about: 'rank', scores: [0] }]);
    expect(task('embed').task).toMatchObject({ done: true, longest: 0 });
  });

  it('are refused with their reason', () => {
    const { task: embed, answers, refusals } = task('embed', 1);
    const reason = new Error('gone');
    embed.refuse(reason);
    expect([answers, refusals]).toEqual([[], [reason]]);
  });
});
