import { describe, expect, it } from 'vitest';
import type { ControlEvent } from '../../src/contract/control.ts';
import { createControlEvents } from '../../src/models/control-events.ts';
import type { LoadPlan } from '../../src/models/loaded-model.ts';
import { ModelManager } from '../../src/models/manager.ts';
import { completeProfile } from '../../src/models/profile.ts';
import { Random } from '../support/random.ts';

const ids = ['a', 'b', 'c'] as const;
const turn = () => new Promise((resolve) => setImmediate(resolve));

const plan = (id: string): LoadPlan => ({
  settings: {},
  file: {
    id,
    aliases: [],
    path: `/m/${id}.gguf`,
    created: 0,
    architecture: 'llama',
    sizeBytes: 1000,
    parameters: undefined,
    quantization: undefined,
    trainedContextSize: 4096,
    chatTemplate: undefined,
    toolTemplate: undefined,
    chatFormat: undefined,
    generates: true,
    recommendedSampling: {},
    metadata: {},
  },
});

const vocabulary = {
  size: 1,
  bosText: '',
  eosText: '',
  addsBos: false,
  addsEos: false,
  controlTexts: [],
  infill: undefined,
};
const features = {
  supportsTools: false,
  supportsReasoning: false,
  reasoningStyle: undefined,
  reasoningAlwaysOn: false,
  supportsPreserveThinking: false,
};

/** One loaded instance; `uses` counts those who work on it. */
interface Instance {
  readonly id: string;
  uses: number;
  disposed: boolean;
}

interface Pending {
  finish(): void;
  fail(): void;
}

/** A day of random loads, uses, cancels, unloads, failures and shortages of memory. Returns what went wrong. */
async function randomDay(seed: number): Promise<string[]> {
  const random = new Random(seed);
  const next = (below: number) => random.between(0, below - 1);
  const wrong: string[] = [];
  const pending = new Set<Pending>();
  const instances: Instance[] = [];
  const told: ControlEvent[] = [];
  let free = 1e12;
  let now = 0;
  const manager = new ModelManager<Instance>({
    events: { ...createControlEvents(), publish: (event) => void told.push(event) },
    clock: () => now,
    timers: { after: () => () => undefined },
    check: async () => undefined,
    shapeOf: () => ({ contextSize: 0, slots: 1, cacheType: 'f16' }),
    freeMemory: async () => ({ ram: free, device: undefined }),
    settings: {
      strict: false,
      autoload: true,
      keepAliveMs: 1000,
      startKeepAliveMs: undefined,
    },
    load: ({ file }, observer) =>
      new Promise((resolve, reject) => {
        if (pending.size > 0) wrong.push('two loads at a time');
        const end = (act: () => void) => {
          pending.delete(entry);
          act();
        };
        const finish = () => {
          const instance: Instance = { id: file.id, uses: 0, disposed: false };
          instances.push(instance);
          resolve({
            runtime: instance,
            profile: completeProfile(file, { vocabulary, contextSize: 1, slots: 1, embeddingSize: 1 }),
            features,
            device: 'CPU',
            slots: () => [],
            dispose: async () => {
              if (instance.uses > 0) wrong.push(`${file.id} was disposed in use`);
              if (instance.disposed) wrong.push(`${file.id} was disposed twice`);
              instance.disposed = true;
            },
          });
        };
        const entry: Pending = { finish: () => end(finish), fail: () => end(() => reject(new Error('broken'))) };
        pending.add(entry);
        observer.signal.addEventListener('abort', () => end(() => reject(observer.signal.reason)), { once: true });
      }),
  });
  for (const id of ids) manager.add(plan(id), { atStart: false });
  const first = manager.find('a');
  if (first) manager.activate(first);

  const work: Promise<unknown>[] = [];
  const releases: (() => void)[] = [];
  const leaving: AbortController[] = [];
  const use = async (id: string, signal: AbortSignal) => {
    const { runtime, release } = await manager.use(id, signal);
    if (runtime.disposed) wrong.push(`${id} was given out after its end`);
    if (runtime.id !== id) wrong.push(`${id} got ${runtime.id}`);
    runtime.uses++;
    releases.push(() => {
      runtime.uses--;
      release();
    });
  };
  const actions: readonly (() => void)[] = [
    () => {
      const leave = new AbortController();
      leaving.push(leave);
      work.push(use(ids[next(3)] ?? 'a', leave.signal).catch(() => undefined));
    },
    () => releases.splice(next(Math.max(1, releases.length)), 1)[0]?.(),
    () => leaving.splice(next(Math.max(1, leaving.length)), 1)[0]?.abort(new Error('left')),
    () => [...pending][0]?.finish(),
    () => [...pending][0]?.[next(3) === 0 ? 'fail' : 'finish'](),
    () => void work.push(manager.find(ids[next(3)] ?? 'a')?.unload() ?? Promise.resolve()),
    () => {
      free = next(4) === 0 ? 0 : 1e12;
    },
    () => {
      now += next(100);
    },
  ];
  for (let step = 0; step < 60; step++) {
    actions[next(actions.length)]?.();
    if (next(2) === 0) await turn();
  }
  free = 1e12;
  for (let round = 0; round < 30; round++) {
    for (const release of releases.splice(0)) release();
    for (const entry of [...pending]) entry.finish();
    await turn();
  }
  const open = await Promise.race([
    Promise.all(work).then(() => false),
    turn()
      .then(() => turn())
      .then(() => true),
  ]);
  if (open) wrong.push('somebody still waits');
  await manager.close();
  if (instances.some(({ disposed }) => !disposed)) wrong.push('a model is left');
  if (instances.some(({ uses }) => uses !== 0)) wrong.push('a use is left');
  wrong.push(...disorder(told));
  return wrong;
}

/** No `ready` before progress 1, no two `loading` without an end between them. */
function disorder(told: readonly ControlEvent[]): string[] {
  const state = new Map<string, string>();
  const wrong: string[] = [];
  for (const event of told) {
    if (event.type === 'progress' && event.fraction === 1) state.set(event.model, 'complete');
    if (event.type !== 'model') continue;
    const before = state.get(event.model) ?? 'unloaded';
    const allowed: Record<string, readonly string[]> = {
      loading: ['unloaded', 'failed'],
      ready: ['complete'],
      draining: ['ready'],
      unloaded: ['draining', 'loading', 'complete'],
      failed: ['loading', 'complete', 'ready'],
    };
    if (!allowed[event.state]?.includes(before)) wrong.push(`${event.model}: ${event.state} after ${before}`);
    state.set(event.model, event.state);
  }
  return wrong;
}

describe('ModelManager on random days', () => {
  it('loses nobody, unloads nothing in use, and tells every step in order', async () => {
    for (let seed = 1; seed <= 300; seed++) expect(await randomDay(seed), `seed ${seed}`).toEqual([]);
  }, 30_000);
});
