import { getEventListeners } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { complete, promptOf, recordedJob, within } from './subject.ts';
import type { ContractCases } from './suite.ts';

const never = new AbortController().signal;

/** What slots hold, and how it moves between them. */
export const stateCases = {
  'tells the truth about its slots during and after a run': async ({ engine }) => {
    const prompt = await promptOf(engine, 30, 'truth');
    const phases: (string | undefined)[] = [];
    const result = await complete(engine, {
      slot: 1,
      prompt,
      maxTokens: 6,
      onToken: () => {
        phases.push(engine.slots()[1]?.phase);
        return undefined;
      },
    });
    expect(engine.slots().map(({ id }) => id)).toEqual(Array.from({ length: engine.info.slots }, (_, id) => id));
    expect(phases).toEqual(Array(6).fill('decode'));
    const slot = engine.slots()[1];
    expect(slot?.phase).toBe('idle');
    const all = [...prompt, ...result.tokens];
    expect(slot?.tokens).toEqual(all.slice(0, slot?.tokens.length));
    expect(slot?.tokens.length).toBeGreaterThanOrEqual(all.length - 2);
  },

  'reuses what the slot holds and says so exactly': async ({ engine }) => {
    const prompt = await promptOf(engine, 60, 'reuse');
    await complete(engine, { slot: 0, prompt, maxTokens: 1 });
    const longer = [...prompt, ...(await promptOf(engine, 20, 'more'))];
    const again = await complete(engine, { slot: 0, prompt: longer, reuse: 60 });
    expect(again.cachedTokens).toBe(60);
    const fresh = await complete(engine, { slot: 1, prompt: longer });
    expect(fresh.cachedTokens).toBe(0);
    expect(again.tokens).toEqual(fresh.tokens);
  },

  'evaluates at least the last prompt token': async ({ engine }) => {
    const prompt = await promptOf(engine, 40, 'same');
    const first = await complete(engine, { slot: 0, prompt });
    const second = await complete(engine, { slot: 0, prompt, reuse: 40 });
    expect(second.cachedTokens).toBe(39);
    expect(second.tokens).toEqual(first.tokens);
  },

  'reuses nothing when the job allows none': async ({ engine }) => {
    const prompt = await promptOf(engine, 40, 'none');
    await complete(engine, { slot: 0, prompt });
    expect((await complete(engine, { slot: 0, prompt, reuse: 0 })).cachedTokens).toBe(0);
  },

  'tells a neighbour when a prefix is held': async ({ engine }) => {
    const prompt = await promptOf(engine, 400, 'held');
    const early = engine.whenHeld(0, 50, never);
    const { job } = recordedJob({ slot: 0, prompt, maxTokens: 2 });
    const run = engine.run(job);
    expect(await within(early, 'a wait begun before the run')).toBe(true);
    expect(engine.slots()[0]?.tokens.length).toBeGreaterThanOrEqual(50);
    expect(await within(engine.whenHeld(0, 400, never), 'the whole prompt')).toBe(true);
    await within(run.done, 'run');
  },

  'tells a neighbour when a prefix will never come': async ({ engine }) => {
    const controller = new AbortController();
    const { job } = recordedJob({ slot: 0, prompt: await promptOf(engine, 400, 'cut'), signal: controller.signal });
    const run = engine.run(job);
    const held = engine.whenHeld(0, 400, never);
    controller.abort(new ServeError('client_closed', 'The client left.'));
    await expect(within(run.done, 'aborted run')).rejects.toThrow('The client left.');
    expect(await within(held, 'wait')).toBe(false);
  },

  'lets a neighbour stop waiting': async ({ engine }) => {
    const controller = new AbortController();
    const reason = new ServeError('client_closed', 'The client left.');
    const { job } = recordedJob({ slot: 0, prompt: await promptOf(engine, 400, 'leave'), maxTokens: 1 });
    const held = engine.whenHeld(0, 399, controller.signal);
    controller.abort(reason);
    await expect(within(held, 'abandoned wait')).rejects.toBe(reason);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    await within(engine.run(job).done, 'run');
  },

  'hands a saved prefix to another slot': async ({ engine }) => {
    const { snapshots } = engine;
    if (!snapshots) throw new Error('this engine has no snapshots: skip the case with a reason');
    const prompt = await promptOf(engine, 60, 'save');
    const original = await complete(engine, { slot: 0, prompt });
    const snapshot = await within(snapshots.save(0, 50), 'save');
    expect(snapshot.tokens).toEqual(prompt.slice(0, 50));
    expect(snapshot.bytes).toBeGreaterThan(0);
    expect(await within(snapshots.load(1, snapshot), 'load')).toBe(true);
    expect(engine.slots()[1]?.tokens).toEqual(prompt.slice(0, 50));
    snapshots.drop(snapshot);
    const taken = await complete(engine, { slot: 1, prompt, reuse: 50 });
    expect(taken.cachedTokens).toBe(50);
    expect(taken.tokens).toEqual(original.tokens);
  },

  'copies a prefix from a running slot': async ({ engine }) => {
    const { snapshots } = engine;
    if (!snapshots) throw new Error('this engine has no snapshots: skip the case with a reason');
    const prompt = await promptOf(engine, 200, 'copy');
    const { job, recording } = recordedJob({ slot: 0, prompt, maxTokens: 20 });
    const run = engine.run(job);
    await within(engine.whenHeld(0, 100, never), 'half of the prompt');
    expect(await within(snapshots.copy(0, 2, 100), 'copy')).toBe(true);
    expect(engine.slots()[2]?.tokens).toEqual(prompt.slice(0, 100));
    const copied = await complete(engine, { slot: 2, prompt, reuse: 100, maxTokens: 20 });
    expect(copied.cachedTokens).toBe(100);
    await within(run.done, 'run');
    expect(copied.tokens).toEqual(recording.tokens);
  },

  'brings a slot back from a file': async ({ engine }) => {
    const files = engine.snapshots?.files;
    if (!files) throw new Error('this engine has no files: skip the case with a reason');
    const folder = await mkdtemp(join(tmpdir(), 'serve-model-state-'));
    try {
      const prompt = await promptOf(engine, 80, 'file');
      const original = await complete(engine, { slot: 0, prompt });
      await within(files.write(0, join(folder, 'state')), 'write');
      const held = [...(engine.slots()[0]?.tokens ?? [])];
      expect(await within(files.read(2, join(folder, 'state')), 'read')).toBe(true);
      expect(engine.slots()[2]?.tokens).toEqual(held);
      const taken = await complete(engine, { slot: 2, prompt, reuse: 80 });
      expect(taken).toMatchObject({ cachedTokens: 79, tokens: original.tokens });
      expect(files.fingerprint).toMatch(/^[0-9a-f]{8,}$/);
    } finally {
      await rm(folder, { recursive: true });
    }
  },

  'counts what it did': async ({ engine }) => {
    const before = engine.stats();
    await complete(engine, { slot: 0, prompt: await promptOf(engine, 50, 'count'), maxTokens: 5 });
    const after = engine.stats();
    expect(after.prefillTokens - before.prefillTokens).toBe(50);
    expect(after.steps).toBeGreaterThan(before.steps);
    expect(after.decodeTokens - before.decodeTokens).toBeGreaterThanOrEqual(4);
    expect(after.decodeTokens - before.decodeTokens).toBeLessThanOrEqual(5);
  },

  'fails running jobs when it is disposed': async (_, factory) => {
    const { engine } = await factory();
    const { job } = recordedJob({ slot: 0, prompt: await promptOf(engine, 20), maxTokens: 200 });
    const run = engine.run(job);
    const outcome = expect(within(run.done, 'run of a disposed engine')).rejects.toMatchObject({
      code: 'engine_failure',
    });
    await within(engine.dispose(), 'dispose');
    await outcome;
  },
} satisfies ContractCases;
