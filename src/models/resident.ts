import type { ControlEvent, LoadPhase, LoadProgress, ModelFeatures, SlotReport } from '../contract/control.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import type { Clock, KnownModel, Timers } from '../contract/services.ts';
import { untilAborted } from '../contract/until-aborted.ts';
import type { FileProfile } from './profile.ts';

/** What is to be loaded, and how. */
export interface LoadPlan {
  readonly file: FileProfile;
  readonly settings: ModelSettings;
}

export interface LoadObserver {
  readonly signal: AbortSignal;
  progress(phase: LoadPhase, fraction: number): void;
  /** The engine broke later: the runtime serves no more. */
  failed(error: unknown): void;
}

/** A loaded model. `Runtime` is what generation works with; this room only hands it on. */
export interface LoadedModel<Runtime> {
  readonly runtime: Runtime;
  readonly profile: ModelProfile;
  readonly features: ModelFeatures;
  readonly device: string;
  slots(): readonly SlotReport[];
  dispose(): Promise<void>;
}

export type ModelLoader<Runtime> = (plan: LoadPlan, observer: LoadObserver) => Promise<LoadedModel<Runtime>>;

export interface ResidentTools<Runtime> {
  readonly load: ModelLoader<Runtime>;
  /** Throws when the plan can be seen to be of no use before anything makes room for it. */
  readonly check: (plan: LoadPlan, signal: AbortSignal) => Promise<void>;
  /** Throws when the plan does not fit even with the idle models gone; unloads nothing. */
  readonly weigh: (plan: LoadPlan) => Promise<void>;
  /** Waits for its turn and for memory; throws when there is none. */
  readonly makeRoom: (signal: AbortSignal) => Promise<() => void>;
  readonly publish: (event: ControlEvent) => void;
  /** The engine of a loaded model broke. */
  readonly broken: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
}

export interface ResidentStay {
  readonly givenAtStart: boolean;
  /** Milliseconds without use until it goes; undefined: never. */
  readonly keepAliveMs: number | undefined;
}

/** Milliseconds that a new load waits for the end of a broken engine. */
const longestDisposeMs = 10_000;

interface Loading<Runtime> {
  readonly promise: Promise<LoadedModel<Runtime>>;
  readonly abort: AbortController;
  waiters: number;
}

/**
 * One model that the server may have in memory: loads it once however many ask, counts its uses, and lets it go only
 * when none is left. Its states: absent, loading, ready, and draining (no new uses) on the way back to absent.
 */
export class Resident<Runtime> {
  plan: LoadPlan;
  readonly givenAtStart: boolean;
  /** Somebody unloaded it on purpose: requests that name it must not bring it back. */
  parked = false;
  /** The last thing that happened to it was a failure, or nothing did yet. */
  #sound = false;
  /** What became of an engine that broke: its memory is free when this settles. */
  #wreck: Promise<unknown> = Promise.resolve();
  lastUsed: number;
  #keepAliveMs: number | undefined;
  #tools: ResidentTools<Runtime>;
  #loading: Loading<Runtime> | undefined;
  #loaded: LoadedModel<Runtime> | undefined;
  #unloading: Promise<void> | undefined;
  #progress: { phase: LoadPhase; fraction: number; since: number } | undefined;
  #uses = 0;
  #whenIdle: () => void = () => undefined;
  #disarm: () => void = () => undefined;

  constructor(plan: LoadPlan, stay: ResidentStay, tools: ResidentTools<Runtime>) {
    this.plan = plan;
    this.givenAtStart = stay.givenAtStart;
    this.#keepAliveMs = stay.keepAliveMs;
    this.#tools = tools;
    this.lastUsed = tools.clock();
  }

  get id(): string {
    return this.plan.file.id;
  }

  get loaded(): LoadedModel<Runtime> | undefined {
    return this.#unloading === undefined ? this.#loaded : undefined;
  }

  get isLoading(): boolean {
    return this.#loading !== undefined;
  }

  /** Loaded and used by nobody. */
  get isIdle(): boolean {
    return this.loaded !== undefined && this.#uses === 0;
  }

  /** Absent, but it can be had: it was loaded before, left in peace, and may come back by itself. */
  get isDormant(): boolean {
    return this.#sound && !this.parked && this.#loaded === undefined && !this.isLoading;
  }

  /** Absent because it failed, and nobody wants it away or is bringing it back. */
  get isBroken(): boolean {
    return !this.#sound && !this.parked && this.#loaded === undefined && !this.isLoading;
  }

  get state(): KnownModel['state'] {
    if (this.loaded) return 'loaded';
    return this.isLoading ? 'loading' : 'not-loaded';
  }

  progress(): LoadProgress | undefined {
    if (!this.#progress) return undefined;
    const { phase, fraction, since } = this.#progress;
    const bytesTotal = this.plan.file.sizeBytes;
    const elapsed = (this.#tools.clock() - since) / 1000;
    return {
      model: this.id,
      phase,
      fraction,
      bytesTotal,
      bytesLoaded: phase === 'load' || phase === 'mmap' ? Math.round(bytesTotal * fraction) : bytesTotal,
      etaSeconds: fraction > 0.01 ? Math.ceil((elapsed * (1 - fraction)) / fraction) : undefined,
    };
  }

  /** Loads it unless it is loaded. A load is given up when everybody who waited for it has left. */
  async load(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    signal.throwIfAborted();
    // No wait may come between this look and the next line: an unload could begin in it.
    while (this.#unloading !== undefined) await untilAborted(this.#unloading, signal);
    if (this.#loaded) return this.#loaded;
    this.#loading ??= this.#startLoading();
    const loading = this.#loading;
    loading.waiters++;
    try {
      return await untilAborted(loading.promise, signal);
    } finally {
      loading.waiters--;
      if (loading.waiters === 0 && signal.aborted) loading.abort.abort(signal.reason);
    }
  }

  /** `release` ends the use. */
  async use(signal: AbortSignal): Promise<{ readonly runtime: Runtime; readonly release: () => void }> {
    let loaded = await this.load(signal);
    // An unload may have begun between the load's end and this line.
    while (loaded !== this.loaded) loaded = await this.load(signal);
    this.#uses++;
    this.#disarm();
    let released = false;
    return {
      runtime: loaded.runtime,
      release: () => {
        if (released) return;
        released = true;
        this.#uses--;
        this.#rest();
      },
    };
  }

  /** Cancels a load; waits for the uses of a loaded model to end and lets it go. */
  async unload(): Promise<void> {
    if (this.#loading) {
      const { promise, abort } = this.#loading;
      abort.abort(new ServeError('model_not_loaded', `The load of ${this.id} was cancelled.`));
      await promise.catch(() => undefined);
      return;
    }
    if (this.#loaded) this.#unloading ??= this.#drain(this.#loaded);
    await this.#unloading;
  }

  /** Lets it go at once: whoever still uses it fails. */
  async discard(): Promise<void> {
    const loaded = this.#loaded;
    this.#disarm();
    this.#whenIdle();
    if (this.#loading) return this.unload();
    if (this.#unloading !== undefined) return this.#unloading;
    this.#loaded = undefined;
    await Promise.all([loaded?.dispose(), this.#wreck]);
  }

  /**
   * Loads it anew in another way, after its answers are out. What cannot fit is refused before it goes; when the load
   * fails it comes back as it was, as far as that is possible, and the error is thrown.
   */
  async replace(plan: LoadPlan, signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    const before = this.plan;
    const wasLoaded = this.#loaded !== undefined;
    if (wasLoaded) await this.#tools.weigh(plan);
    signal.throwIfAborted();
    await this.unload();
    this.plan = plan;
    try {
      return await this.load(signal);
    } catch (error) {
      this.plan = before;
      if (wasLoaded) this.load(new AbortController().signal).catch(() => undefined); // published as failed
      throw error;
    }
  }

  async #drain(loaded: LoadedModel<Runtime>): Promise<void> {
    this.#disarm();
    this.#publish('draining');
    if (this.#uses > 0) {
      await new Promise<void>((resolve) => {
        this.#whenIdle = resolve;
      });
    }
    this.#loaded = undefined;
    try {
      await loaded.dispose();
    } finally {
      this.#unloading = undefined;
      this.#publish('unloaded');
    }
  }

  #startLoading(): Loading<Runtime> {
    const abort = new AbortController();
    this.#publish('loading');
    const promise = this.#runLoad(abort.signal).finally(() => {
      this.#loading = undefined;
      this.#progress = undefined;
    });
    promise.catch(() => undefined); // those who wait get it; when nobody waits any more it is no news
    return { promise, abort, waiters: 0 };
  }

  async #runLoad(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    try {
      await this.#wreck;
      await this.#tools.check(this.plan, signal);
      const done = await this.#tools.makeRoom(signal);
      try {
        signal.throwIfAborted();
        const loaded = await this.#loadSound(signal);
        this.#report('ready', 1);
        this.#loaded = loaded;
        this.#sound = true;
        this.#publish('ready');
        this.#rest();
        return loaded;
      } finally {
        done();
      }
    } catch (error) {
      this.#sound = signal.aborted && this.#sound;
      this.#publish(signal.aborted ? 'unloaded' : 'failed', error);
      throw error;
    }
  }

  async #loadSound(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    let brokeEarly: { readonly error: unknown } | undefined;
    const loaded = await this.#tools.load(this.plan, {
      signal,
      progress: (phase, fraction) => this.#report(phase, fraction),
      failed: (error) => {
        brokeEarly = { error };
        this.#broke(error);
      },
    });
    if (!brokeEarly) return loaded;
    await loaded.dispose().catch(() => undefined);
    throw brokeEarly.error;
  }

  /** Whoever runs on it fails by itself. */
  #broke(error: unknown): void {
    const loaded = this.loaded;
    // One that is being unloaded goes anyway.
    if (!loaded) return;
    this.#loaded = undefined;
    this.#sound = false;
    this.#disarm();
    this.#publish('failed', error);
    // A native context that is broken may never say that it is gone.
    const late = new Promise<void>((resolve) => this.#tools.timers.after(longestDisposeMs, resolve));
    this.#wreck = Promise.race([loaded.dispose().catch(() => undefined), late]);
    this.#tools.broken();
  }

  #report(phase: LoadPhase, fraction: number): void {
    const since = this.#progress?.phase === phase ? this.#progress.since : this.#tools.clock();
    this.#progress = { phase, fraction, since };
    const progress = this.progress();
    if (progress) this.#tools.publish({ type: 'progress', ...progress });
  }

  #publish(state: 'loading' | 'ready' | 'draining' | 'unloaded' | 'failed', error?: unknown): void {
    const words = error === undefined ? {} : { error: toServeError(error).message };
    this.#tools.publish({ type: 'model', model: this.id, state, ...words });
  }

  #rest(): void {
    this.lastUsed = this.#tools.clock();
    if (this.#uses > 0) return;
    this.#whenIdle();
    this.#disarm();
    if (this.#keepAliveMs === undefined || !this.loaded) return;
    this.#disarm = this.#tools.timers.after(this.#keepAliveMs, () => {
      if (this.isIdle) this.unload().catch(() => undefined);
    });
  }
}
