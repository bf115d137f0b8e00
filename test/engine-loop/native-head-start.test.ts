import { setImmediate as nextTurn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  NativeHeadStart,
  type NativeHearing,
  type NativeWeightsOptions,
  type WeightsBindings,
} from '../../src/engine/llama/native-head-start.ts';

const path = '/models/own.gguf';
/** As node-llama-cpp asks for a plain load. */
const plain: NativeWeightsOptions = {
  gpuLayers: 0,
  vocabOnly: false,
  useMmap: true,
  useDirectIo: false,
  useMlock: false,
  checkTensors: false,
  lazyMode: false,
  hasLoadAbortSignal: true,
};

/** Bindings that keep what is done with them; weights load when the test says so. */
function library() {
  const done: string[] = [];
  const made: { path: string; options: NativeWeightsOptions }[] = [];
  let say: NativeHearing = () => undefined;
  let loaded: (sound: boolean) => void = () => undefined;
  class AddonModel {
    constructor(modelPath: string, options: NativeWeightsOptions) {
      made.push({ path: modelPath, options });
    }
    init() {
      done.push('init');
      return new Promise<boolean>((resolve) => {
        loaded = resolve;
      });
    }
    abortActiveModelLoad() {
      done.push('abort');
      loaded(false);
    }
    async dispose() {
      done.push('dispose');
    }
  }
  const bindings: WeightsBindings = {
    setLogger: (hear) => {
      say = hear;
    },
    setLoggerLogLevel: () => undefined,
    loadBackends: (folder) => done.push(`backends ${folder ?? 'built in'}`),
    getGpuType: () => undefined,
    init: async () => undefined,
    AddonModel,
  };
  const file = { path: '/lib/addon.node', key: '', llamaCpp: { repo: '', release: '' }, open: (): unknown => bindings };
  return { file, done, made, say: (...said: Parameters<NativeHearing>) => say(...said), load: () => loaded(true) };
}

async function begun() {
  const place = library();
  const headStart = NativeHeadStart.begin(place.file, path);
  if (!headStart) throw new Error('nothing begun');
  await nextTurn();
  const { done, made, say, load } = place;
  return { done, made, say, load, headStart };
}

describe('weights that load before node-llama-cpp is read', () => {
  it('are the first model that it makes of the file, and load once', async () => {
    const { headStart, done, made, load } = await begun();
    expect(done).toEqual(['backends built in', 'backends /lib', 'init']);
    const { AddonModel } = headStart.bindings(() => undefined);
    const fractions: number[] = [];
    const model = new AddonModel(path, { ...plain, onLoadProgress: (fraction) => fractions.push(fraction) });
    made[0]?.options.onLoadProgress?.(0.5);
    const loading = model.init();
    load();
    expect(await loading).toBe(true);
    expect(made).toHaveLength(1);
    expect(fractions).toEqual([0.5]);
    expect(new AddonModel(path, plain)).not.toBe(model);
    await headStart.discard();
    expect(done).not.toContain('dispose');
  });

  it.each<[string, string, object]>([
    ['another file', '/models/other.gguf', plain],
    ['its structure alone', path, { ...plain, noAlloc: true }],
    ['its vocabulary alone', path, { ...plain, vocabOnly: true }],
    ['other values in its header', path, { ...plain, overridesList: [] }],
    ['layers on a GPU', path, { ...plain, gpuLayers: 3 }],
  ])('are not %s', async (_, asked, options) => {
    const { headStart, made } = await begun();
    const { AddonModel } = headStart.bindings(() => undefined);
    Reflect.construct(AddonModel, [asked, options]);
    expect(made.map((each) => each.path)).toEqual([path, asked]);
  });

  it('hand on what the library said before somebody listened', async () => {
    const { headStart, say } = await begun();
    say(3, 'an odd token');
    const heard: unknown[] = [];
    headStart.bindings((...said) => heard.push(said));
    say(2, 'another one');
    expect(heard).toEqual([
      [3, 'an odd token'],
      [2, 'another one'],
    ]);
  });

  it('are given back when nobody takes them', async () => {
    const { headStart, done } = await begun();
    await headStart.discard();
    expect(done.slice(2)).toEqual(['init', 'abort', 'dispose']);
    const early = library();
    await NativeHeadStart.begin(early.file, path)?.discard();
    expect(early.made).toEqual([]);
  });

  it('are left to node-llama-cpp when the library is not as expected', () => {
    const { file } = library();
    expect(NativeHeadStart.begin({ ...file, open: () => ({}) }, path)).toBeUndefined();
    const fails = () => {
      throw new Error('no such file');
    };
    expect(NativeHeadStart.begin({ ...file, open: fails }, path)).toBeUndefined();
  });
});
