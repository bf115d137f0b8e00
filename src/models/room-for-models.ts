import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import { HeldMemory } from './held-memory.ts';
import type { LoadedModel, LoadPlan } from './loaded-model.ts';
import type { FreeMemory } from './machine-memory.ts';
import { type MemoryNeed, type MemoryShape, memoryNeed } from './memory.ts';
import { projectorsOf } from './profile.ts';
import { tooLarge } from './too-large.ts';

/** What a model is to the memory that it takes. */
export interface Occupant {
  readonly id: string;
  readonly plan: LoadPlan;
  readonly loaded: object | undefined;
  /** Loaded and used by nobody. */
  readonly isIdle: boolean;
  readonly lastUsed: number;
  unload(): Promise<void>;
}

export interface RoomOptions {
  /** What a load with these settings takes; 0 tokens: as much as fits. */
  readonly shapeOf: (own: ModelSettings) => MemoryShape;
  /** What can be had at this moment without unloading anything. */
  readonly freeMemory: () => Promise<FreeMemory>;
  readonly models: () => readonly Occupant[];
}

/** With a context that is chosen to fit, this much is asked for at least. */
const leastContext = 2048;

/**
 * Whether there is room for a model, and who has to go for it: the one unused for longest, never one in use. One load at a
 * time, because two would be given the same memory.
 */
export class RoomForModels {
  readonly #options: RoomOptions;
  readonly #memory: HeldMemory;
  #lastLoad: Promise<void> = Promise.resolve();

  constructor(options: RoomOptions) {
    this.#options = options;
    this.#memory = new HeldMemory(options.freeMemory);
  }

  /** Estimated bytes for a plan. */
  requiredBytes({ file, settings }: LoadPlan): number {
    const shape = this.#options.shapeOf(settings);
    const least = Math.min(...projectorsOf(file).map(({ sizeBytes }) => sizeBytes));
    const weighed = file.projector ? { ...file, projector: { sizeBytes: least } } : file;
    return memoryNeed(weighed, { ...shape, contextSize: shape.contextSize || leastContext }).total;
  }

  /** Whether so many bytes can be had, for this model or another one, if need be without those that nobody uses. */
  async fits(requiredBytes: number, model: Occupant | undefined): Promise<boolean> {
    return requiredBytes <= (await this.#room(model)).had;
  }

  /** Throws, with the true reason, unless the plan fits when its own model and the idle ones have gone. */
  async weigh(model: Occupant, plan: LoadPlan): Promise<void> {
    const required = this.requiredBytes(plan);
    const { had, withBusy } = await this.#room(model);
    if (required <= had) return;
    const busy = this.#others(model).filter(({ loaded, isIdle }) => loaded && !isIdle);
    const shape = this.#options.shapeOf(plan.settings);
    throw tooLarge(plan.file.id, { required, had, shape }, required <= withBusy ? busy : []);
  }

  /** Waits for the load before it, then frees memory. Gives what ends its own turn. */
  async make(model: Occupant, signal: AbortSignal): Promise<() => void> {
    let done: () => void = () => undefined;
    const before = this.#lastLoad;
    this.#lastLoad = new Promise((resolve) => {
      done = resolve;
    });
    await before;
    try {
      signal.throwIfAborted();
      // The only model takes what there is: its load fits the context to the memory, or says that it cannot.
      if (this.#options.models().some(({ loaded }) => loaded)) await this.#free(model);
    } catch (error) {
      done();
      throw error;
    }
    return done;
  }

  /** Loads, and notes what that took. */
  measure<Runtime>(plan: LoadPlan, load: () => Promise<LoadedModel<Runtime>>): Promise<LoadedModel<Runtime>> {
    return this.#memory.measure(plan.file.path, load, ({ profile }) => this.needOf(profile, plan.settings).total);
  }

  /** What a model takes as it is loaded. */
  needOf(profile: ModelProfile, settings: ModelSettings): MemoryNeed {
    const { contextSize, slots, vocabulary } = profile;
    const facts = { ...profile, vocabularySize: vocabulary.size || undefined };
    return memoryNeed(facts, { ...this.#options.shapeOf(settings), contextSize, slots });
  }

  /** Tokens per slot that this machine could take, at most the trained context. */
  mostContext(profile: ModelProfile, settings: ModelSettings): number {
    const { contextSize, trainedContextSize, path } = profile;
    const { context } = this.needOf(profile, settings);
    const more = context === 0 ? 0 : Math.floor((this.#memory.freeAfterLoad(path) * contextSize) / context);
    return Math.min(trainedContextSize || contextSize, contextSize + more);
  }

  async #free(model: Occupant): Promise<void> {
    await this.weigh(model, model.plan);
    const required = this.requiredBytes(model.plan);
    while ((await this.#memory.free()) < required) {
      const oldest = this.#others(model)
        .filter((other) => other.isIdle)
        .sort((a, b) => a.lastUsed - b.lastUsed)[0];
      if (!oldest) return this.weigh(model, model.plan);
      await oldest.unload();
    }
  }

  /** Bytes: what a model could have, and what it could have if nobody used the others. */
  async #room(model: Occupant | undefined) {
    const loaded = this.#options.models().filter((other) => other.loaded);
    const paths = (models: readonly Occupant[]) => models.map(({ plan }) => plan.file.path);
    const idle = loaded.filter((other) => other === model || other.isIdle);
    const [had = 0, withBusy = 0] = await this.#memory.freeWithout([paths(idle), paths(loaded)]);
    return { had, withBusy };
  }

  #others(model: Occupant): Occupant[] {
    return this.#options.models().filter((other) => other !== model);
  }
}
