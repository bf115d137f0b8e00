import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { beginWeights } from '../../src/engine/thread/early-weights.ts';
import { within } from '../engine-contract/subject.ts';
import { engineWorker } from '../support/compiled-entries.ts';
import { demoLoadOptions, loadDemoModel } from '../support/demo-engine.ts';

const { path, library, parameters } = demoLoadOptions;
const wish = { path, library, parameters };
const begin = (changes: Partial<typeof wish> = {}) =>
  beginWeights({ ...wish, ...changes }, { entry: engineWorker, waitAtExit: true });

describe('weights that begin to load early', () => {
  it('go to the first load of the same file in the same way, with their progress', async () => {
    const early = begin();
    expect(early.take({ ...wish, path: 'other.gguf' })).toBeUndefined();
    expect(early.take({ ...wish, parameters: { gpuLayers: 1 } })).toBeUndefined();
    expect(early.take({ ...wish, adapters: [{ path: 'adapter.gguf' }] })).toBeUndefined();
    const fractions: number[] = [];
    const { engine, trainedContextSize } = await loadDemoModel({
      early,
      onProgress: (fraction) => fractions.push(fraction),
    });
    expect(trainedContextSize).toBeGreaterThan(0);
    expect(fractions.at(-1)).toBe(1);
    expect(early.take(wish)).toBeUndefined();
    await early.discard();
    expect((await engine.text.tokenize(['still here'], { special: false })).length).toBeGreaterThan(0);
    await engine.dispose();
  });

  it('end with the load that takes them', async () => {
    const controller = new AbortController();
    const early = begin();
    const thread = early.take(wish);
    const given = { take: () => thread, isFor: () => true, discard: async () => undefined };
    const loading = loadDemoModel({ early: given, signal: controller.signal });
    const reason = new ServeError('client_closed', 'Nobody wants it.');
    controller.abort(reason);
    await expect(within(loading, 'the load')).rejects.toBe(reason);
    expect(await within(thread?.gone ?? Promise.reject(), 'the end of the thread')).toBeInstanceOf(ServeError);
  });

  it('go to nobody when they are discarded', async () => {
    const early = begin();
    await within(early.discard(), 'the end of the thread');
    expect(early.take(wish)).toBeUndefined();
    await early.discard();
  });

  it('tell why they failed to the load that takes them', async () => {
    const broken = { path: 'no-such-file.gguf' } as const;
    const early = begin(broken);
    await expect(within(loadDemoModel({ ...broken, early }), 'the load')).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('no-such-file.gguf could not be loaded'),
    });
  });
});
