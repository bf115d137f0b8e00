import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { createFakeEngine } from '../../src/engine/fake.ts';
import { complete, recordedJob, within } from './subject.ts';

const prompt = [1, 2, 3, 4, 5, 6, 7];

describe('fake engine', () => {
  it('says its script and then ends the generation', async () => {
    const engine = createFakeEngine({ answer: 'Grüße<|im_start|>' });
    const result = await complete(engine, { slot: 0, prompt, maxTokens: 100, ignoreEos: false });
    expect(result.reason).toBe('end-of-generation');
    expect(engine.text.decode(result.tokens)).toBe('Grüße<|im_start|>');
  });

  it('answers each job by its prompt', async () => {
    const engine = createFakeEngine({ answer: (job) => `${job.prompt.length}` });
    const result = await complete(engine, { slot: 0, prompt, maxTokens: 100, ignoreEos: false });
    expect(engine.text.decode(result.tokens)).toBe('7');
    expect(engine.jobs.map((job) => job.prompt)).toEqual([prompt]);
  });

  it('moves one step at a time when stepped by hand', async () => {
    const engine = createFakeEngine({ stepping: 'manual', stepTokens: 5, answer: [65, { type: 'wait' }, 66] });
    const { job, recording } = recordedJob({ slot: 0, prompt, maxTokens: 100, ignoreEos: false });
    const run = engine.run(job);
    const seen: (readonly [number, string | undefined, number])[] = [];
    for (let step = 0; step < 5; step++) {
      await engine.step();
      const slot = engine.slots()[0];
      seen.push([slot?.tokens.length ?? -1, slot?.phase, recording.tokens.length]);
    }
    expect(seen).toEqual([
      [5, 'prefill', 0],
      [7, 'decode', 1],
      [8, 'decode', 1],
      [8, 'decode', 2],
      [9, 'idle', 2],
    ]);
    expect(await run.done).toEqual({ reason: 'end-of-generation', outputTokens: 2, promptMs: 1, predictedMs: 3 });
  });

  it('gives the step to the shortest remaining prompt first', async () => {
    const engine = createFakeEngine({ stepping: 'manual', stepTokens: 10 });
    const long = recordedJob({ slot: 0, prompt: Array(30).fill(1), maxTokens: 1 });
    const short = recordedJob({ slot: 1, prompt: Array(6).fill(2), maxTokens: 1 });
    engine.run(long.job);
    engine.run(short.job);
    await engine.step();
    expect(engine.slots().map(({ tokens }) => tokens.length)).toEqual([4, 6, 0, 0]);
  });

  it('fails a sequence where its script says so', async () => {
    const engine = createFakeEngine({ answer: [65, { type: 'fail' }] });
    const { job } = recordedJob({ slot: 0, prompt, maxTokens: 100 });
    await expect(within(engine.run(job).done, 'failing run')).rejects.toMatchObject({ code: 'engine_failure' });
    expect(engine.slots()[0]?.phase).toBe('idle');
  });

  it('fails everybody when a whole step fails, and works on', async () => {
    const engine = createFakeEngine();
    const failure = new ServeError('engine_failure', 'Out of memory.');
    engine.failNextStep(failure);
    const runs = [0, 1].map((slot) => engine.run(recordedJob({ slot, prompt }).job));
    for (const run of runs) await expect(within(run.done, 'failing step')).rejects.toBe(failure);
    expect((await complete(engine, { slot: 0, prompt, maxTokens: 3 })).outputTokens).toBe(3);
  });

  it('answers differently when a slot holds a wrong prefix', async () => {
    const engine = createFakeEngine();
    const right = await complete(engine, { slot: 0, prompt });
    const other = await complete(engine, { slot: 1, prompt: [9, ...prompt.slice(1)] });
    expect(right.tokens).not.toEqual(other.tokens);
  });

  it('refuses a dropped snapshot and leaves the slot empty', async () => {
    const engine = createFakeEngine();
    await complete(engine, { slot: 0, prompt });
    const snapshot = await engine.snapshots?.save(0, 5);
    if (!snapshot) throw new Error('no snapshot');
    expect(engine.snapshotsKept.size).toBe(1);
    engine.snapshots?.drop(snapshot);
    expect(await engine.snapshots?.load(0, snapshot)).toBe(false);
    expect(engine.slots()[0]?.tokens).toEqual([]);
    expect(engine.snapshotsKept.size).toBe(0);
  });

  it('puts snapshot work between steps when it is slow', async () => {
    const engine = createFakeEngine({ stepping: 'manual', snapshots: 'slow' });
    const { job } = recordedJob({ slot: 0, prompt, maxTokens: 50 });
    engine.run(job);
    await engine.step();
    const copied = engine.snapshots?.copy(0, 1, 5);
    expect(engine.slots()[1]?.tokens).toEqual([]);
    await engine.step();
    expect(await copied).toBe(true);
    expect(engine.slots()[1]?.tokens).toEqual(prompt.slice(0, 5));
  });
});
