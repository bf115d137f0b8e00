import { describe, expect, it } from 'vitest';
import type { ControlEvent } from '../../src/contract/control.ts';
import { ServeError } from '../../src/contract/errors.ts';
import { createControlEvents } from '../../src/models/control-events.ts';
import type { LoadObserver, LoadPlan } from '../../src/models/loaded-model.ts';
import { type ManagerSettings, ModelManager } from '../../src/models/manager.ts';
import { completeProfile, type FileProfile } from '../../src/models/profile.ts';

/** Time that the test moves. */
class ManualTime {
  now = 0;
  #timers = new Set<{ at: number; run: () => void }>();
  clock = () => this.now;
  timers = {
    after: (milliseconds: number, run: () => void) => {
      const timer = { at: this.now + milliseconds, run };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    },
  };
  pass(milliseconds: number): void {
    this.now += milliseconds;
    for (const timer of [...this.#timers].filter(({ at }) => at <= this.now)) {
      this.#timers.delete(timer);
      timer.run();
    }
  }
}

const file = (id: string, aliases: readonly string[] = []): FileProfile => ({
  id,
  aliases,
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
});

const plan = (id: string, settings: LoadPlan['settings'] = {}): LoadPlan => ({ file: file(id), settings });
const patient = new AbortController().signal;
const settled = () => new Promise((resolve) => setImmediate(resolve));

interface Attempt {
  readonly id: string;
  readonly observer: LoadObserver;
  finish(): void;
  fail(error: Error): void;
}

/** What a loaded model takes, about as much as is estimated for it. */
const modelBytes = 26.2e6;

/** A manager over a loader whose loads end when the test says so. `free`: bytes at hand. */
function scene(change: Partial<ManagerSettings> = {}, free = 1e12) {
  const time = new ManualTime();
  const attempts: Attempt[] = [];
  const disposed: string[] = [];
  const memory: { free: number; device: number | undefined } = { free, device: undefined };
  const take = (bytes: number) => {
    if (memory.device === undefined) memory.free -= bytes;
    else memory.device -= bytes;
  };
  const events = createControlEvents();
  const told: ControlEvent[] = [];
  const recording = { ...events, publish: (event: ControlEvent) => void told.push(event) };
  const manager = new ModelManager<string>({
    events: recording,
    clock: time.clock,
    timers: time.timers,
    check: async ({ file: { id } }) => {
      if (id.startsWith('broken')) throw new ServeError('invalid_request', `${id} is damaged`);
    },
    shapeOf: (own) => ({ contextSize: own.contextSize ?? 0, slots: own.slots ?? 4, cacheType: own.cacheType ?? 'f16' }),
    freeMemory: async () => ({ ram: memory.free, device: memory.device }),
    settings: {
      strict: false,
      autoload: true,
      keepAliveMs: 1000,
      startKeepAliveMs: undefined,
      ...change,
    },
    load: (wanted, observer) =>
      new Promise((resolve, reject) => {
        const { id } = wanted.file;
        observer.signal.addEventListener('abort', () => reject(observer.signal.reason));
        attempts.push({
          id,
          observer,
          fail: reject,
          finish: () => {
            take(modelBytes);
            resolve({
              runtime: `runtime of ${id}`,
              profile: completeProfile(wanted.file, {
                vocabulary: {
                  size: 1,
                  bosText: '',
                  eosText: '',
                  addsBos: false,
                  addsEos: false,
                  controlTexts: [],
                  infill: undefined,
                },
                contextSize: 1024,
                slots: 4,
                embeddingSize: 1,
              }),
              features: {
                supportsTools: true,
                supportsReasoning: false,
                reasoningStyle: undefined,
                reasoningAlwaysOn: false,
                supportsPreserveThinking: false,
              },
              device: 'CPU',
              slots: () => [{ id: 0, state: 'idle', tokens: 0 }],
              dispose: async () => {
                disposed.push(id);
                take(-modelBytes);
              },
            });
          },
        });
      }),
  });
  const load = async (id: string, atStart = false) => {
    const resident = manager.add(plan(id), { atStart });
    const loading = resident.load(patient);
    await settled();
    attempts.at(-1)?.finish();
    await loading;
    return resident;
  };
  const states = () => told.flatMap((event) => (event.type === 'model' ? [`${event.model} ${event.state}`] : []));
  return { time, manager, attempts, disposed, memory, told, states, load };
}

function code(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return error instanceof ServeError ? error.code : String(error);
  }
  return 'none';
}

describe('ModelManager', () => {
  it('says loading, then ready, and serves every name with the active model', async () => {
    const { manager, attempts, states } = scene();
    const resident = manager.add(plan('a'), { atStart: true });
    expect(manager.state()).toBe('loading');
    expect(code(() => manager.resolve('gpt-4o'))).toBe('model_loading');
    const loading = resident.load(patient);
    await settled();
    attempts[0]?.observer.progress('load', 0.5);
    expect(manager.reports.progress()).toMatchObject({
      model: 'a',
      phase: 'load',
      fraction: 0.5,
      bytesLoaded: 500,
      bytesTotal: 1000,
    });
    attempts[0]?.finish();
    await loading;
    expect(manager.state()).toBe('ready');
    expect(manager.reports.progress()).toBeUndefined();
    expect(manager.list().map(({ id }) => id)).toEqual(['a']);
    expect(manager.resolve('gpt-4o').id).toBe('a');
    const { runtime, release } = await manager.use(undefined, patient);
    expect(runtime).toBe('runtime of a');
    release();
    expect(states()).toEqual(['a loading', 'a ready']);
  });

  it('says ready only after its progress said 1', async () => {
    const { told, load } = scene();
    await load('a');
    const order = told.map((event) =>
      event.type === 'model' ? event.state : event.type === 'progress' ? event.fraction : '',
    );
    expect(order).toEqual(['loading', 1, 'ready']);
  });

  it('refuses unknown names when it is strict', async () => {
    const { manager, load } = scene({ strict: true });
    await load('a');
    expect(code(() => manager.resolve('b'))).toBe('model_not_found');
    expect(code(() => manager.resolve('a'))).toBe('none');
    expect(code(() => manager.resolve(undefined))).toBe('none');
  });

  it('knows what a request may name: not what was unloaded on purpose, and never two by one name', async () => {
    const { manager, load } = scene();
    const parked = await load('a', true);
    manager.add(plan('b'), { atStart: false });
    const { file, settings } = plan('b');
    manager.add({ file: { ...file, path: '/other/b.gguf', aliases: ['other/b'] }, settings }, { atStart: false });
    manager.add({ file: { ...file, path: '/third/b.gguf' }, settings }, { atStart: false });
    manager.add({ file: { ...file, path: '/deeper/third/b.gguf', aliases: ['b', 'a'] }, settings }, { atStart: false });
    const known = () => manager.known().map(({ profile, state }) => `${profile.id} ${state}`);
    const others = ['b not-loaded', 'other/b not-loaded', 'third/b not-loaded', 'third/b-2 not-loaded'];
    expect(known()).toEqual(['a loaded', ...others]);
    expect(manager.known().flatMap(({ profile }) => profile.aliases)).toEqual([]);
    expect(manager.resolve('third/b').path).toBe('/third/b.gguf');
    parked.parked = true;
    await parked.unload();
    expect(known()).toEqual(others);
    expect(manager.list()).toEqual([]);
  });

  it('loads a known model on first use, once for all who ask, and routes by name', async () => {
    const { manager, attempts, load } = scene();
    await load('a', true);
    manager.add(plan('b'), { atStart: true });
    expect(manager.resolve('b')).toMatchObject({ id: 'b', slots: 4, contextSize: 4096 });
    const uses = [manager.use('b', patient), manager.use('b', patient)];
    await settled();
    expect(attempts.map(({ id }) => id)).toEqual(['a', 'b']);
    // Others go on meanwhile.
    expect((await manager.use('a', patient)).runtime).toBe('runtime of a');
    attempts[1]?.finish();
    expect((await Promise.all(uses)).map(({ runtime }) => runtime)).toEqual(['runtime of b', 'runtime of b']);
    expect(manager.list().map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('does not load by name when that is off', async () => {
    const { manager, load } = scene({ autoload: false });
    await load('a', true);
    manager.add(plan('b'), { atStart: true });
    expect(code(() => manager.resolve('b'))).toBe('model_not_loaded');
  });

  it('gives a load up when the last one who waits has left', async () => {
    const { manager, attempts, load, states } = scene();
    await load('a', true);
    manager.add(plan('b'), { atStart: false });
    const leaving = [new AbortController(), new AbortController()] as const;
    const uses = leaving.map(({ signal }) => manager.use('b', signal).catch((error: Error) => error.message));
    await settled();
    leaving[0].abort(new Error('gone'));
    await settled();
    expect(attempts[1]?.observer.signal.aborted).toBe(false);
    leaving[1].abort(new Error('gone too'));
    await settled();
    expect(attempts[1]?.observer.signal.aborted).toBe(true);
    expect(await Promise.all(uses)).toEqual(['gone', 'gone too']);
    expect(states().slice(2)).toEqual(['b loading', 'b unloaded']);
    expect(manager.state()).toBe('ready');
  });

  it('loads anew for who comes while a load is given up', async () => {
    const { manager, attempts, load } = scene();
    await load('a', true);
    manager.add(plan('b'), { atStart: false });
    const leaving = new AbortController();
    const given = manager.use('b', leaving.signal).catch((error: Error) => error.message);
    await settled();
    let late: Promise<{ readonly runtime: string }> | undefined;
    attempts[1]?.observer.signal.addEventListener('abort', () => {
      late = manager.use('b', patient);
      late.catch(() => undefined);
    });
    leaving.abort(new Error('gone'));
    expect(await given).toBe('gone');
    await settled();
    attempts[2]?.finish();
    expect((await late)?.runtime).toBe('runtime of b');
  });

  it('unloads only when the last use has ended, and takes no new one meanwhile', async () => {
    const { manager, load, disposed, states, attempts } = scene();
    const resident = await load('a');
    const first = await manager.use('a', patient);
    const second = await manager.use('a', patient);
    const unloading = resident.unload();
    first.release();
    first.release();
    await settled();
    expect(disposed).toEqual([]);
    const late = manager.use('a', patient);
    second.release();
    await unloading;
    expect(disposed).toEqual(['a']);
    await settled();
    attempts[1]?.finish();
    expect((await late).runtime).toBe('runtime of a');
    expect(states()).toEqual(['a loading', 'a ready', 'a draining', 'a unloaded', 'a loading', 'a ready']);
  });

  it('forgets a model whose file is gone, but not one that a request has loaded meanwhile', async () => {
    const { manager, load, disposed } = scene();
    const resident = await load('a');
    manager.forget('/m/a.gguf');
    expect(manager.find('a')).toBe(resident);
    await resident.unload();
    manager.forget('/m/a.gguf');
    expect(manager.find('a')).toBeUndefined();
    expect(disposed).toEqual(['a']);
  });

  it('is empty after the only model was unloaded', async () => {
    const { manager, load } = scene({ autoload: false });
    await (await load('a')).unload();
    expect(manager.state()).toBe('empty');
    expect(manager.list()).toEqual([]);
    expect(code(() => manager.resolve(undefined))).toBe('model_not_loaded');
  });

  it('cancels a load by unloading', async () => {
    const { manager, attempts, states } = scene();
    const resident = manager.add(plan('a'), { atStart: false });
    const loading = resident.load(patient).catch((error: Error) => error.message);
    await settled();
    await resident.unload();
    expect(await loading).toBe('The load of a was cancelled.');
    expect(attempts[0]?.observer.signal.aborted).toBe(true);
    expect(states()).toEqual(['a loading', 'a unloaded']);
  });

  it('lets a model go that was not used for its time, never one in use', async () => {
    const { manager, load, time, disposed } = scene();
    await load('a', true);
    await load('b');
    time.pass(999);
    const { release } = await manager.use('b', patient);
    time.pass(5000);
    await settled();
    expect(disposed).toEqual([]);
    release();
    time.pass(1000);
    await settled();
    expect(disposed).toEqual(['b']);
  });

  it('stays ready while the model sleeps, and wakes it for whoever comes', async () => {
    const { manager, load, time, attempts } = scene();
    await load('a');
    time.pass(1000);
    await settled();
    expect(manager.list()).toEqual([]);
    expect(manager.known()).toMatchObject([{ profile: { id: 'a' }, state: 'not-loaded' }]);
    expect(manager.state()).toBe('ready');
    const use = manager.use('gpt-4o', patient);
    await settled();
    attempts[1]?.fail(new Error('gone'));
    await expect(use).rejects.toThrow('gone');
    expect(manager.state()).toBe('empty');
    const again = manager.use(undefined, patient);
    await settled();
    attempts[2]?.finish();
    expect((await again).runtime).toBe('runtime of a');
    expect(manager.state()).toBe('ready');
  });

  it('makes room by letting the one go that was unused for longest', async () => {
    const { manager, load, time, disposed, memory } = scene();
    for (const id of ['a', 'b', 'c']) {
      await load(id, true);
      time.pass(10);
    }
    (await manager.use('a', patient)).release();
    memory.free = 0;
    await load('d');
    expect(disposed).toEqual(['b']);
    expect(manager.list().map(({ id }) => id)).toEqual(['a', 'c', 'd']);
  });

  it('refuses with numbers when everything is in use, and leaves the running ones alone', async () => {
    const { manager, load, memory, disposed, states } = scene();
    await load('a', true);
    await manager.use('a', patient);
    memory.free = 10e6;
    await expect(manager.add(plan('b'), { atStart: false }).load(patient)).rejects.toMatchObject({
      code: 'insufficient_memory',
      message:
        'b needs about 26.1 MB, and beside a, in use, there are 10.0 MB. Try again later, or take a smaller context.',
    });
    expect(disposed).toEqual([]);
    expect(states().slice(2)).toEqual(['b loading', 'b failed']);
    // The next load has its turn.
    memory.free = 1e12;
    await load('c');
  });

  it('unloads nothing for a model that would not fit even then, and says so', async () => {
    const { manager, load, memory, disposed, states } = scene();
    await load('a', true);
    await load('b');
    memory.free = 10e6;
    const large = { contextSize: 1e12, slots: 2 };
    const loading = manager.add(plan('c', large), { atStart: false }).load(patient);
    await expect(loading).rejects.toMatchObject({
      code: 'insufficient_memory',
      message: expect.stringMatching(
        /^c with 2 slots of 1000000000000 tokens needs about \d+ TB, and this machine has 6\d\.\d MB\./,
      ),
    });
    expect(disposed).toEqual([]);
    expect(states().slice(4)).toEqual(['c loading', 'c failed']);
    expect(await manager.room.fits(60e6, manager.find('c'))).toBe(true);
    expect(await manager.room.fits(70e6, manager.find('c'))).toBe(false);
  });

  it('unloads nothing for a model whose file is of no use', async () => {
    const { manager, load, memory, disposed, states } = scene();
    await load('a');
    memory.free = 10e6;
    const loading = manager.add(plan('broken'), { atStart: false }).load(patient);
    await expect(loading).rejects.toThrow('broken is damaged');
    expect(disposed).toEqual([]);
    expect(states().slice(2)).toEqual(['broken loading', 'broken failed']);
  });

  it('does not let a model go that is to be loaded anew in a way that cannot fit', async () => {
    const { manager, load, disposed } = scene({}, 50e6);
    const resident = await load('a');
    const replacing = resident.replace(plan('a', { contextSize: 1e9 }), patient);
    await expect(replacing).rejects.toMatchObject({ code: 'insufficient_memory' });
    expect(disposed).toEqual([]);
    expect(manager.resolve('a').contextSize).toBe(1024);
  });

  it('counts what the GPUs get back, too', async () => {
    const { manager, load, memory, disposed } = scene();
    memory.free = 10e6;
    memory.device = 60e6;
    await load('a', true);
    await load('b');
    await load('c');
    expect(disposed).toEqual(['a']);
    expect(manager.list().map(({ id }) => id)).toEqual(['b', 'c']);
  });

  it('loads one after the other', async () => {
    const { manager, attempts } = scene();
    const loads = Promise.allSettled(['a', 'b'].map((id) => manager.add(plan(id), { atStart: true }).load(patient)));
    await settled();
    expect(attempts.map(({ id }) => id)).toEqual(['a']);
    attempts[0]?.fail(new ServeError('invalid_request', 'broken'));
    await settled();
    expect(attempts.map(({ id }) => id)).toEqual(['a', 'b']);
    attempts[1]?.finish();
    expect((await loads).map(({ status }) => status)).toEqual(['rejected', 'fulfilled']);
    expect(manager.list().map(({ id }) => id)).toEqual(['b']);
  });

  it('loads anew with other settings after the answers are out', async () => {
    const { manager, load, attempts, disposed } = scene();
    const resident = await load('a');
    const { release } = await manager.use('a', patient);
    const replacing = resident.replace(plan('a', { contextSize: 99 }), patient);
    await settled();
    expect(disposed).toEqual([]);
    release();
    await settled();
    expect(disposed).toEqual(['a']);
    attempts[1]?.finish();
    await replacing;
    expect(manager.reports.status().models.map(({ settings }) => settings)).toEqual([{ contextSize: 99 }]);
  });

  it('comes back as it was when loading anew fails', async () => {
    const { manager, load, attempts } = scene();
    const resident = await load('a');
    const replacing = resident.replace(plan('a', { contextSize: 999 }), patient).catch((error: Error) => error.message);
    await settled();
    attempts[1]?.fail(new ServeError('insufficient_memory', 'too large'));
    expect(await replacing).toBe('too large');
    await settled();
    attempts[2]?.finish();
    await settled();
    expect(manager.reports.status().models.map(({ settings }) => settings)).toEqual([{}]);
  });

  it('loads a broken engine anew, once in a while', async () => {
    const { manager, load, attempts, states, disposed, time } = scene();
    await load('a', true);
    attempts[0]?.observer.failed(new Error('native'));
    await settled();
    expect(manager.state()).toBe('loading');
    attempts[1]?.finish();
    await settled();
    expect(manager.state()).toBe('ready');
    attempts[1]?.observer.failed(new Error('native again'));
    await settled();
    expect(manager.state()).toBe('empty');
    expect(disposed).toEqual(['a', 'a']);
    expect(states()).toEqual(['a loading', 'a ready', 'a failed', 'a loading', 'a ready', 'a failed']);
    time.pass(60_000);
    const use = manager.use('a', patient);
    await settled();
    attempts[2]?.finish();
    expect((await use).runtime).toBe('runtime of a');
  });

  it('loads an engine that broke again by itself, a minute after the last time', async () => {
    const { manager, load, attempts, time } = scene();
    await load('a', true);
    attempts[0]?.observer.failed(new Error('native'));
    await settled();
    attempts[1]?.finish();
    await settled();
    attempts[1]?.observer.failed(new Error('native again'));
    time.pass(59_999);
    await settled();
    expect([manager.state(), attempts.length]).toEqual(['empty', 2]);
    time.pass(1);
    await settled();
    expect([manager.state(), attempts.length]).toEqual(['loading', 3]);
    attempts[2]?.finish();
    await settled();
    expect(manager.state()).toBe('ready');
  });

  it('gives up an engine whose loads fail one after the other', async () => {
    const { manager, load, attempts, time } = scene();
    await load('a', true);
    attempts[0]?.observer.failed(new Error('native'));
    for (const attempt of [1, 2, 3]) {
      await settled();
      attempts[attempt]?.fail(new ServeError('engine_failure', 'The process of the model ended.'));
      await settled();
      time.pass(60_000);
    }
    await settled();
    time.pass(600_000);
    await settled();
    expect([manager.state(), attempts.length]).toEqual(['empty', 4]);
  });

  it('leaves a broken engine alone that somebody unloaded meanwhile', async () => {
    const { manager, load, attempts, time } = scene();
    const resident = await load('a', true);
    attempts[0]?.observer.failed(new Error('native'));
    await settled();
    attempts[1]?.finish();
    await settled();
    attempts[1]?.observer.failed(new Error('native again'));
    resident.parked = true;
    time.pass(60_000);
    await settled();
    expect([manager.state(), attempts.length]).toEqual(['empty', 2]);
  });

  it('calls a load failed whose engine broke before it was over', async () => {
    const { manager, load, attempts, disposed, states } = scene();
    await load('a', true);
    const resident = manager.add(plan('b'), { atStart: false });
    const loading = resident.load(patient).catch((error: Error) => error.message);
    await settled();
    attempts[1]?.observer.failed(new Error('killed'));
    attempts[1]?.finish();
    expect(await loading).toBe('killed');
    expect(disposed).toEqual(['b']);
    expect(states().slice(-2)).toEqual(['b loading', 'b failed']);
  });

  it('takes nothing new when it drains, and lets everything go when it closes, in use or not', async () => {
    const { manager, load, disposed } = scene();
    await load('a');
    await load('b');
    await manager.use('b', patient);
    manager.drain();
    expect(manager.state()).toBe('draining');
    expect(code(() => manager.resolve('a'))).toBe('draining');
    await manager.close();
    expect(disposed.sort()).toEqual(['a', 'b']);
  });
});
