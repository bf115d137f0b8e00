import type { ControlEvent, LoadPhase, LoadProgress } from '../contract/control.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import type { Clock, KnownModel, Timers } from '../contract/services.ts';
import { neverAborted, untilAborted } from '../contract/signals.ts';
import { LoadProgressReport } from './load-progress.ts';
import type { LoadedModel, LoadPlan, ModelLoader } from './loaded-model.ts';
import { SharedLoad } from './shared-load.ts';
import { Uses } from './uses.ts';

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

/**
 * One model that the server may have in memory: loads it once however many ask, counts its uses, and lets it go only
 * when none is left. Its states: absent, loading, ready, and draining (no new uses) on the way back to absent.
 */
export class Resident<Runtime> {
  plan: LoadPlan;
  readonly givenAtStart: boolean;
  /** Somebody unloaded it on purpose: requests that name it must not bring it back. */
  parked = false;
  #tools: ResidentTools<Runtime>;
  readonly #uses: Uses;
  readonly #report: LoadProgressReport;
  #loading: SharedLoad<LoadedModel<Runtime>> | undefined;
  #loaded: LoadedModel<Runtime> | undefined;
  #unloading: Promise<void> | undefined;
  /** It was loaded, and nothing has failed since. */
  #usable = false;
  /** What became of an engine that broke: its memory is free when this settles. */
  #wreck: Promise<unknown> = Promise.resolve();

  constructor(plan: LoadPlan, stay: ResidentStay, tools: ResidentTools<Runtime>) {
    this.plan = plan;
    this.givenAtStart = stay.givenAtStart;
    this.#tools = tools;
    this.#report = new LoadProgressReport(tools.clock);
    this.#uses = new Uses({
      keepAliveMs: stay.keepAliveMs,
      mayGo: () => this.loaded !== undefined,
      onUnused: () => this.unload().catch(() => undefined),
      clock: tools.clock,
      timers: tools.timers,
    });
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
    return this.loaded !== undefined && this.#uses.none;
  }

  get lastUsed(): number {
    return this.#uses.lastUsed;
  }

  /** Absent, but it can be had: it was loaded before, left in peace, and may come back by itself. */
  get isDormant(): boolean {
    return this.#usable && this.#isLeftOut;
  }

  /** Absent because it failed, and nobody wants it away or is bringing it back. */
  get isBroken(): boolean {
    return !this.#usable && this.#isLeftOut;
  }

  get state(): KnownModel['state'] {
    if (this.loaded) return 'loaded';
    return this.isLoading ? 'loading' : 'not-loaded';
  }

  progress(): LoadProgress | undefined {
    return this.#report.of(this.plan.file);
  }

  /** Loads it unless it is loaded. A load is given up when everybody who waited for it has left. */
  async load(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    signal.throwIfAborted();
    // No wait may come between this look and the next line: an unload could begin in it.
    for (let end = this.#end(); end; end = this.#end()) await untilAborted(end, signal);
    if (this.#loaded) return this.#loaded;
    this.#loading ??= this.#startLoading();
    return this.#loading.wait(signal);
  }

  /** `release` ends the use. */
  async use(signal: AbortSignal): Promise<{ readonly runtime: Runtime; readonly release: () => void }> {
    let loaded = await this.load(signal);
    // An unload may have begun between the load's end and this line.
    while (loaded !== this.loaded) loaded = await this.load(signal);
    return { runtime: loaded.runtime, release: this.#uses.begin() };
  }

  /** Cancels a load; waits for the uses of a loaded model to end and lets it go. */
  async unload(): Promise<void> {
    if (this.#loading) {
      await this.#loading.cancel(new ServeError('model_not_loaded', `The load of ${this.id} was cancelled.`));
      return;
    }
    if (this.#loaded) this.#unloading ??= this.#drain(this.#loaded);
    await this.#unloading;
  }

  /** Lets it go at once: whoever still uses it fails. */
  async discard(): Promise<void> {
    const loaded = this.#loaded;
    this.#uses.abandon();
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
      if (wasLoaded) this.load(neverAborted()).catch(() => undefined); // published as failed
      throw error;
    }
  }

  /** Of what goes just now, and has to be gone before it can come. */
  #end(): Promise<void> | undefined {
    return this.#unloading ?? (this.#loading?.isGivenUp ? this.#loading.ended() : undefined);
  }

  get #isLeftOut(): boolean {
    return !this.parked && this.#loaded === undefined && !this.isLoading;
  }

  async #drain(loaded: LoadedModel<Runtime>): Promise<void> {
    this.#uses.stop();
    this.#publish('draining');
    await this.#uses.ended();
    this.#loaded = undefined;
    try {
      await loaded.dispose();
    } finally {
      this.#unloading = undefined;
      this.#publish('unloaded');
    }
  }

  #startLoading(): SharedLoad<LoadedModel<Runtime>> {
    this.#publish('loading');
    return new SharedLoad((signal) =>
      this.#runLoad(signal).finally(() => {
        this.#loading = undefined;
        this.#report.end();
      }),
    );
  }

  async #runLoad(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    try {
      await this.#wreck;
      await this.#tools.check(this.plan, signal);
      const done = await this.#tools.makeRoom(signal);
      try {
        signal.throwIfAborted();
        const loaded = await this.#loadWhole(signal);
        this.#tell('ready', 1);
        this.#loaded = loaded;
        this.#usable = true;
        this.#publish('ready');
        this.#uses.rest();
        return loaded;
      } finally {
        done();
      }
    } catch (error) {
      this.#usable = signal.aborted && this.#usable;
      this.#publish(signal.aborted ? 'unloaded' : 'failed', error);
      throw error;
    }
  }

  /** One whose engine breaks before the load is over was never loaded. */
  async #loadWhole(signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    let brokeEarly: { readonly error: unknown } | undefined;
    const loaded = await this.#tools.load(this.plan, {
      signal,
      progress: (phase, fraction) => this.#tell(phase, fraction),
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
    this.#usable = false;
    this.#uses.stop();
    this.#publish('failed', error);
    // A native context that is broken may never say that it is gone.
    const late = new Promise<void>((resolve) => this.#tools.timers.after(longestDisposeMs, resolve));
    this.#wreck = Promise.race([loaded.dispose().catch(() => undefined), late]);
    this.#tools.broken();
  }

  #tell(phase: LoadPhase, fraction: number): void {
    this.#report.set(phase, fraction);
    const progress = this.progress();
    if (progress) this.#tools.publish({ type: 'progress', ...progress });
  }

  #publish(state: 'loading' | 'ready' | 'draining' | 'unloaded' | 'failed', error?: unknown): void {
    const words = error === undefined ? {} : { error: toServeError(error).message };
    this.#tools.publish({ type: 'model', model: this.id, state, ...words });
  }
}
