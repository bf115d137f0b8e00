import { basename, dirname } from 'node:path';
import type { ControlEvent, ControlStatus, LoadedModelStatus, LoadProgress, SlotReport } from '../contract/control.ts';
import { ServeError, stillLoading } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import { findByName } from '../contract/model-names.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import { printable } from '../contract/printable.ts';
import type { Clock, KnownModel, ServerState, Timers } from '../contract/services.ts';
import type { ControlEvents } from './control-events.ts';
import { mostByDefault } from './default-context.ts';
import { HeldMemory } from './held-memory.ts';
import type { FreeMemory } from './machine-memory.ts';
import { type MemoryNeed, type MemoryShape, memoryNeed } from './memory.ts';
import { completeProfile, type FileProfile, projectorsOf, unknownVocabulary } from './profile.ts';
import { type LoadedModel, type LoadObserver, type LoadPlan, type ModelLoader, Resident } from './resident.ts';
import { Revivals } from './revivals.ts';
import { tooLarge } from './too-large.ts';

export interface ManagerSettings {
  /** Refuse unknown names instead of serving them with the active model. */
  readonly strict: boolean;
  /** Load a known model when a request names it. */
  readonly autoload: boolean;
  /** Milliseconds for models that were not given at start. */
  readonly keepAliveMs: number;
  /** Milliseconds for those that were; undefined: for ever. */
  readonly startKeepAliveMs: number | undefined;
}

export interface ManagerOptions<Runtime> {
  readonly load: ModelLoader<Runtime>;
  /** What a load with these settings takes; 0 tokens: as much as fits. */
  readonly shapeOf: (own: ModelSettings) => MemoryShape;
  /** Throws when a plan's files are of no use. Before others are unloaded for it. */
  readonly check: (plan: LoadPlan, signal: AbortSignal) => Promise<void>;
  readonly events: ControlEvents;
  /** What can be had at this moment without unloading anything. */
  readonly freeMemory: () => Promise<FreeMemory>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly settings: ManagerSettings;
  /** What the first model is called until its file is on this machine. */
  readonly firstName?: string;
  /** The first model is there, or is not waited for any more. */
  readonly onBegun?: () => void;
}

/** With a context that is chosen to fit, this much is asked for at least. */
const leastContext = 2048;
/**
 * The models in memory: which serves a name, which is loaded when, and which has to go when memory does not suffice
 * (the one unused for longest, never one in use). One load at a time; other models' answers never wait for it.
 */
export class ModelManager<Runtime> {
  #options: ManagerOptions<Runtime>;
  /** By path. */
  #residents = new Map<string, Resident<Runtime>>();
  #active: Resident<Runtime> | undefined;
  #lastLoad: Promise<void> = Promise.resolve();
  readonly #memory: HeldMemory;
  readonly #revivals: Revivals;
  /** Before the first model is there, requests are refused rather than kept waiting. */
  #starting = true;
  #closing = false;

  constructor(options: ManagerOptions<Runtime>) {
    this.#options = options;
    this.#memory = new HeldMemory(options.freeMemory);
    this.#revivals = new Revivals(options, () => this.#closing);
  }

  /** Makes a model known, under names of its own. The first one becomes the active one, which unknown names go to. */
  add(plan: LoadPlan, options: { readonly atStart: boolean }): Resident<Runtime> {
    const known = this.#residents.get(plan.file.path);
    if (known) return known;
    const { settings, events, clock, timers } = this.#options;
    const keepAliveMs = options.atStart ? settings.startKeepAliveMs : settings.keepAliveMs;
    const resident: Resident<Runtime> = new Resident(
      { ...plan, file: this.#withOwnNames(plan.file) },
      { keepAliveMs, givenAtStart: options.atStart },
      {
        load: (wanted, observer) => this.#load(wanted, observer),
        check: (wanted, signal) => this.#options.check(wanted, signal),
        clock,
        timers,
        publish: (event) => this.#publish(event, events),
        weigh: (wanted) => this.#weigh(resident, wanted),
        makeRoom: (signal) => this.#makeRoom(resident, signal),
        broken: () => this.#revivals.revive(resident),
      },
    );
    this.#residents.set(plan.file.path, resident);
    this.#active ??= resident;
    return resident;
  }

  /** Forgets a model because its file is gone; not one that a request has loaded meanwhile, which still has to go. */
  forget(path: string): void {
    const resident = this.#residents.get(path);
    if (resident?.loaded || resident?.isLoading) return;
    this.#residents.delete(path);
    if (this.#active?.plan.file.path === path) this.#active = undefined;
  }

  /** Those given at start, in their order. */
  atStart(): readonly Resident<Runtime>[] {
    return [...this.#residents.values()].filter(({ givenAtStart }) => givenAtStart);
  }

  find(name: string): Resident<Runtime> | undefined {
    return findByName(name, [...this.#residents.values()], ({ plan }) => plan.file);
  }

  /** From now on unknown names go there. */
  activate(resident: Resident<Runtime>): void {
    this.#active = resident;
    this.#begin();
  }

  /** What the start has loaded: unknown names go there, unless another one was loaded for them meanwhile. */
  begin(first: Resident<Runtime>): void {
    if (!this.#active?.loaded) this.#active = first;
    this.#begin();
  }

  /** The start has failed: requests are told what there is instead of kept waiting. */
  giveUpStart(): void {
    this.#begin();
  }

  state(): ServerState {
    if (this.#closing) return 'draining';
    if (this.#starting) return 'loading';
    const residents = [...this.#residents.values()];
    if (residents.some((resident) => resident.loaded)) return 'ready';
    // It went because nobody used it; the next request brings it back.
    if (this.#options.settings.autoload && this.#active?.isDormant) return 'ready';
    return residents.some((resident) => resident.isLoading) ? 'loading' : 'empty';
  }

  list(): readonly ModelProfile[] {
    return this.#loaded().map(({ profile }) => profile);
  }

  /** All that a request may name, the active one first: loaded, loading, or loaded by the request. */
  known(): readonly KnownModel[] {
    return this.#ordered()
      .filter((resident) => resident.loaded ?? (resident.isLoading || this.#loadsOnUse(resident)))
      .map(({ plan, loaded, state }) => ({ profile: loaded?.profile ?? this.#planned(plan), state }));
  }

  /** The id of the model that vectors come from when nobody names another: loaded for them, or given at start. */
  forVectors(): string | undefined {
    const given = [...this.#residents.values()].filter(({ plan }) => !plan.file.generates);
    const [first] = [
      ...given.filter(({ loaded }) => loaded),
      ...given.filter((resident) => resident.givenAtStart && this.#loadsOnUse(resident)),
    ];
    return first?.id;
  }

  resolve(name: string | undefined): ModelProfile {
    const resident = this.#serving(name);
    return resident.loaded?.profile ?? this.#planned(resident.plan);
  }

  /** As `resolve`, but a guess while the server starts. */
  expect(name: string | undefined): Pick<ModelProfile, 'id' | 'slots'> {
    if (this.#closing || !this.#starting) return this.resolve(name);
    const expected = (name === undefined ? undefined : this.find(name)) ?? this.#active;
    if (expected) return this.#planned(expected.plan);
    return { id: this.#options.firstName ?? '', slots: this.#options.shapeOf({}).slots };
  }

  /** The runtime that serves a name, loaded first when it has to be. A model in use is never unloaded. */
  async use(name: string | undefined, signal: AbortSignal) {
    return this.#serving(name).use(signal);
  }

  status(): ControlStatus {
    return {
      active: this.#active?.loaded && this.#active.id,
      loading: [...this.#residents.values()].filter((resident) => resident.isLoading).map(({ id }) => id),
      models: this.#ordered().flatMap((resident) =>
        resident.loaded ? [this.describe(resident, resident.loaded)] : [],
      ),
    };
  }

  progress(): LoadProgress | undefined {
    return [...this.#residents.values()].map((resident) => resident.progress()).find((progress) => progress);
  }

  describe({ plan }: Resident<Runtime>, { profile, features, device }: LoadedModel<Runtime>): LoadedModelStatus {
    const { contextSize, trainedContextSize } = profile;
    const { context, total } = this.#needOf(profile, plan.settings);
    const free = this.#memory.freeAfterLoad(profile.path);
    const more = context === 0 ? 0 : Math.floor((free * contextSize) / context);
    const maxContextSize = Math.min(trainedContextSize || contextSize, contextSize + more);
    return { profile, features, device, settings: plan.settings, memoryBytes: total, maxContextSize };
  }

  /** Whether so many bytes can be had, for this model or another one, if need be without those that nobody uses. */
  async fits(requiredBytes: number, name: string): Promise<boolean> {
    return requiredBytes <= (await this.#room(this.find(name))).had;
  }

  /** Estimated bytes for a plan. */
  requiredBytes(plan: LoadPlan): number {
    const shape = this.#options.shapeOf(plan.settings);
    const least = Math.min(...projectorsOf(plan.file).map(({ sizeBytes }) => sizeBytes));
    const file = plan.file.projector ? { ...plan.file, projector: { sizeBytes: least } } : plan.file;
    return memoryNeed(file, { ...shape, contextSize: shape.contextSize || leastContext }).total;
  }

  /** What the slots of every loaded model do. */
  slots(): readonly { readonly model: string; readonly slots: readonly SlotReport[] }[] {
    return this.#loaded().map(({ profile, slots }) => ({ model: profile.id, slots: slots() }));
  }

  /** Lets everything go at once; what is still in use fails. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#options.events.close();
    await Promise.all([...this.#residents.values()].map((resident) => resident.discard()));
  }

  /** No new work from now on. */
  drain(): void {
    this.#closing = true;
  }

  #serving(name: string | undefined): Resident<Runtime> {
    if (this.#closing) throw new ServeError('draining', 'The server is about to stop and takes no new work.');
    const named = name === undefined ? undefined : this.find(name);
    if (name !== undefined && !named && this.#options.settings.strict) throw this.#unknown(name);
    const resident = named ?? this.#active;
    if (this.#starting) throw stillLoading();
    if (resident && (resident.loaded || resident.isLoading || this.#loadsOnUse(resident))) return resident;
    throw new ServeError(
      'model_not_loaded',
      'No model is loaded. Load one with POST /api/inference/load, or name a model that this server knows.',
      { param: 'model' },
    );
  }

  #loadsOnUse(resident: Resident<Runtime>): boolean {
    return this.#options.settings.autoload && !resident.parked;
  }

  #unknown(name: string): ServeError {
    const names = [...this.#residents.values()].flatMap(({ plan: { file } }) => [file.id, ...file.aliases]);
    return new ServeError('model_not_found', `There is no model ${name} here. Served: ${names.join(', ')}.`, {
      param: 'model',
    });
  }

  #needOf(profile: ModelProfile, settings: ModelSettings): MemoryNeed {
    const { contextSize, slots, vocabulary } = profile;
    const facts = { ...profile, vocabularySize: vocabulary.size || undefined };
    return memoryNeed(facts, { ...this.#options.shapeOf(settings), contextSize, slots });
  }

  /** A name means one model: what another one has is left to that, and an id that is taken gets its folder in front. */
  #withOwnNames(file: FileProfile): FileProfile {
    const taken = new Set([...this.#residents.values()].flatMap(({ plan }) => [plan.file.id, ...plan.file.aliases]));
    const free = (name: string) => !taken.has(name);
    const aliases = file.aliases.filter(free);
    if (free(file.id)) return { ...file, aliases };
    const folder = `${printable(basename(dirname(file.path)))}/${file.id}`;
    const numbered = Array.from({ length: taken.size + 1 }, (_, index) => `${folder}-${index + 2}`);
    const id = [...aliases, folder, ...numbered].find(free) ?? file.path;
    return { ...file, id, aliases: aliases.filter((name) => name !== id) };
  }

  async #load(plan: LoadPlan, observer: LoadObserver): Promise<LoadedModel<Runtime>> {
    const load = () => this.#options.load(plan, observer);
    return this.#memory.measure(plan.file.path, load, ({ profile }) => this.#needOf(profile, plan.settings).total);
  }

  /** Waits for the load before it, then frees memory. Gives what ends its own turn. */
  async #makeRoom(resident: Resident<Runtime>, signal: AbortSignal): Promise<() => void> {
    let done: () => void = () => undefined;
    const before = this.#lastLoad;
    this.#lastLoad = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      signal.throwIfAborted();
      // The only model takes what there is: its load fits the context to the memory, or says that it cannot.
      if (this.#loaded().length > 0) await this.#free(resident);
    } catch (error) {
      done();
      throw error;
    }
    return done;
  }

  async #free(resident: Resident<Runtime>): Promise<void> {
    await this.#weigh(resident, resident.plan);
    const required = this.requiredBytes(resident.plan);
    while ((await this.#memory.free()) < required) {
      const oldest = this.#others(resident)
        .filter((other) => other.isIdle)
        .sort((a, b) => a.lastUsed - b.lastUsed)[0];
      if (!oldest) return this.#weigh(resident, resident.plan);
      await oldest.unload();
    }
  }

  /** Throws, with the true reason, unless the plan fits when its own model and the idle ones have gone. */
  async #weigh(resident: Resident<Runtime>, plan: LoadPlan): Promise<void> {
    const required = this.requiredBytes(plan);
    const { had, withBusy } = await this.#room(resident);
    if (required <= had) return;
    const busy = this.#others(resident).filter(({ loaded, isIdle }) => loaded && !isIdle);
    const shape = this.#options.shapeOf(plan.settings);
    throw tooLarge(plan.file.id, { required, had, shape }, required <= withBusy ? busy : []);
  }

  /** Bytes: what a model could have, and what it could have if nobody used the others. */
  async #room(resident: Resident<Runtime> | undefined) {
    const loaded = [...this.#residents.values()].filter((other) => other.loaded);
    const paths = (models: readonly Resident<Runtime>[]) => models.map(({ plan }) => plan.file.path);
    const idle = loaded.filter((other) => other === resident || other.isIdle);
    const [had = 0, withBusy = 0] = await this.#memory.freeWithout([paths(idle), paths(loaded)]);
    return { had, withBusy };
  }

  #others(resident: Resident<Runtime>): Resident<Runtime>[] {
    return this.#ordered().filter((other) => other !== resident);
  }

  #publish(event: ControlEvent, events: ControlEvents): void {
    // What is loaded before the active one makes no server yet.
    if (event.type === 'model' && event.state === 'ready' && event.model === this.#active?.id) this.#begin();
    events.publish(event);
  }

  #begin(): void {
    if (!this.#starting) return;
    this.#starting = false;
    this.#options.onBegun?.();
  }

  /** The active one first. */
  #ordered(): Resident<Runtime>[] {
    const all = [...this.#residents.values()];
    return [...all.filter((each) => each === this.#active), ...all.filter((each) => each !== this.#active)];
  }

  #loaded(): LoadedModel<Runtime>[] {
    return this.#ordered().flatMap(({ loaded }) => (loaded ? [loaded] : []));
  }

  /** As far as the file tells: for a model that will be loaded by the request that asks. */
  #planned(plan: LoadPlan): ModelProfile {
    const { contextSize, slots } = this.#options.shapeOf(plan.settings);
    const { trainedContextSize, vocabularySize = 0, metadata, architecture } = plan.file;
    const width = metadata[`${architecture}.embedding_length`];
    return completeProfile(plan.file, {
      vocabulary: { ...unknownVocabulary, size: vocabularySize },
      embeddingSize: typeof width === 'number' ? width : 0,
      slots,
      // On a GPU it may be more.
      contextSize: contextSize || Math.min(trainedContextSize, mostByDefault),
    });
  }
}
