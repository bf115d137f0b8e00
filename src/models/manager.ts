import type { ControlEvent } from '../contract/control.ts';
import { ServeError, stillLoading } from '../contract/errors.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import type { Clock, KnownModel, ServerState, Timers } from '../contract/services.ts';
import type { ControlEvents } from './control-events.ts';
import { KnownModels } from './known-models.ts';
import type { LoadedModel, LoadPlan, ModelLoader } from './loaded-model.ts';
import type { FreeMemory } from './machine-memory.ts';
import type { MemoryShape } from './memory.ts';
import { ModelReports } from './model-reports.ts';
import { plannedProfile } from './planned-profile.ts';
import { Resident } from './resident.ts';
import { Revivals } from './revivals.ts';
import { RoomForModels } from './room-for-models.ts';

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

/**
 * Which model serves a request, from the first moment of the server to its last: loaded, loaded by the request that names
 * it, or refused with the reason. Answers of the others never wait for a load.
 */
export class ModelManager<Runtime> {
  readonly #options: ManagerOptions<Runtime>;
  readonly #models = new KnownModels<Runtime>();
  readonly room: RoomForModels;
  readonly reports: ModelReports<Runtime>;
  readonly #revivals: Revivals;
  /** Before the first model is there, requests are refused rather than kept waiting. */
  #starting = true;
  #closing = false;

  constructor(options: ManagerOptions<Runtime>) {
    this.#options = options;
    const { shapeOf, freeMemory } = options;
    this.room = new RoomForModels({ shapeOf, freeMemory, models: () => this.#models.ordered() });
    this.reports = new ModelReports(this.#models, this.room);
    this.#revivals = new Revivals(options, () => this.#closing);
  }

  /** Makes a model known, under names of its own. The first one becomes the active one, which unknown names go to. */
  add(plan: LoadPlan, { atStart }: { readonly atStart: boolean }): Resident<Runtime> {
    const { settings, load, check, clock, timers } = this.#options;
    const keepAliveMs = atStart ? settings.startKeepAliveMs : settings.keepAliveMs;
    return this.#models.add(plan.file, (file) => {
      const resident: Resident<Runtime> = new Resident(
        { ...plan, file },
        { keepAliveMs, givenAtStart: atStart },
        {
          load: (wanted, observer) => this.room.measure(wanted, () => load(wanted, observer)),
          check: (wanted, signal) => check(wanted, signal),
          clock,
          timers,
          publish: (event) => this.#publish(event),
          weigh: (wanted) => this.room.weigh(resident, wanted),
          makeRoom: (signal) => this.room.make(resident, signal),
          broken: () => this.#revivals.revive(resident),
        },
      );
      return resident;
    });
  }

  /** Forgets a model because its file is gone; not one that a request has loaded meanwhile, which still has to go. */
  forget(path: string): void {
    this.#models.forget(path);
  }

  /** Those given at start, in their order. */
  atStart(): readonly Resident<Runtime>[] {
    return this.#models.all().filter(({ givenAtStart }) => givenAtStart);
  }

  find(name: string): Resident<Runtime> | undefined {
    return this.#models.find(name);
  }

  /** From now on unknown names go there. */
  activate(resident: Resident<Runtime>): void {
    this.#models.activate(resident);
    this.#begin();
  }

  /** What the start has loaded: unknown names go there, unless another one was loaded for them meanwhile. */
  begin(first: Resident<Runtime>): void {
    if (!this.#models.active?.loaded) this.#models.activate(first);
    this.#begin();
  }

  /** The start has failed: requests are told what there is instead of kept waiting. */
  giveUpStart(): void {
    this.#begin();
  }

  state(): ServerState {
    if (this.#closing) return 'draining';
    if (this.#starting) return 'loading';
    const residents = this.#models.all();
    if (residents.some((resident) => resident.loaded)) return 'ready';
    // It went because nobody used it; the next request brings it back.
    if (this.#options.settings.autoload && this.#models.active?.isDormant) return 'ready';
    return residents.some((resident) => resident.isLoading) ? 'loading' : 'empty';
  }

  list(): readonly ModelProfile[] {
    return this.#loaded().map(({ profile }) => profile);
  }

  /** All that a request may name, the active one first: loaded, loading, or loaded by the request. */
  known(): readonly KnownModel[] {
    return this.#models
      .ordered()
      .filter((resident) => resident.loaded ?? (resident.isLoading || this.#loadsOnUse(resident)))
      .map((resident) => ({ profile: this.#profileOf(resident), state: resident.state }));
  }

  /** The id of the model that vectors come from when nobody names another: loaded for them, or given at start. */
  forVectors(): string | undefined {
    const given = this.#models.all().filter(({ plan }) => !plan.file.generates);
    const [first] = [
      ...given.filter(({ loaded }) => loaded),
      ...given.filter((resident) => resident.givenAtStart && this.#loadsOnUse(resident)),
    ];
    return first?.id;
  }

  resolve(name: string | undefined): ModelProfile {
    return this.#profileOf(this.#serving(name));
  }

  /** As `resolve`, but a guess while the server starts. */
  expect(name: string | undefined): Pick<ModelProfile, 'id' | 'slots'> {
    if (this.#closing || !this.#starting) return this.resolve(name);
    const expected = (name === undefined ? undefined : this.find(name)) ?? this.#models.active;
    if (expected) return this.#planned(expected);
    return { id: this.#options.firstName ?? '', slots: this.#options.shapeOf({}).slots };
  }

  /** The runtime that serves a name, loaded first when it has to be. A model in use is never unloaded. */
  async use(name: string | undefined, signal: AbortSignal) {
    return this.#serving(name).use(signal);
  }

  /** Lets everything go at once; what is still in use fails. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#options.events.close();
    await Promise.all(this.#models.all().map((resident) => resident.discard()));
  }

  /** No new work from now on. */
  drain(): void {
    this.#closing = true;
  }

  #serving(name: string | undefined): Resident<Runtime> {
    if (this.#closing) throw new ServeError('draining', 'The server is about to stop and takes no new work.');
    const named = name === undefined ? undefined : this.find(name);
    if (name !== undefined && !named && this.#options.settings.strict) throw this.#unknown(name);
    const resident = named ?? this.#models.active;
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
    const served = this.#models.names().join(', ');
    return new ServeError('model_not_found', `There is no model ${name} here. Served: ${served}.`, { param: 'model' });
  }

  #publish(event: ControlEvent): void {
    // What is loaded before the active one makes no server yet.
    if (event.type === 'model' && event.state === 'ready' && event.model === this.#models.active?.id) this.#begin();
    this.#options.events.publish(event);
  }

  #begin(): void {
    if (!this.#starting) return;
    this.#starting = false;
    this.#options.onBegun?.();
  }

  #loaded(): LoadedModel<Runtime>[] {
    return this.#models.ordered().flatMap(({ loaded }) => (loaded ? [loaded] : []));
  }

  #profileOf(resident: Resident<Runtime>): ModelProfile {
    return resident.loaded?.profile ?? this.#planned(resident);
  }

  #planned({ plan }: Resident<Runtime>): ModelProfile {
    return plannedProfile(plan.file, this.#options.shapeOf(plan.settings));
  }
}
