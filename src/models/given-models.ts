import type { LoadedModel, LoadPlan } from './loaded-model.ts';
import { locateModel } from './locate.ts';
import type { ModelManager } from './manager.ts';
import type { ModelFilesOptions } from './model-files.ts';
import { type FileProfile, readModelProfile } from './profile.ts';
import { type ReadWish, readOtherModel } from './read-wish.ts';
import type { StartObserver } from './start-observer.ts';

/** Where the models are that were given beside the first one, as far as they are on this machine. */
export interface StartPaths {
  /** In the order of the command line. */
  readonly others: readonly string[];
  readonly draft: string | undefined;
  readonly embedding: string | undefined;
}

/** The same, read. */
export interface StartFiles {
  readonly others: readonly FileProfile[];
  readonly draft: FileProfile | undefined;
  readonly embedding: FileProfile | undefined;
  /** Of --models-file; those that are not on this machine are downloaded when somebody loads them. */
  readonly named: readonly LoadPlan[];
}

export interface GivenModelsOptions<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly read: ReadWish;
  readonly named: ModelFilesOptions['named'];
  readonly modelsDir: string;
  readonly autoload: boolean;
  /** Makes the models of the folder known. */
  readonly refresh: () => Promise<void>;
}

/** The models that were given at the start: read, made known, and loaded in their order. */
export class GivenModels<Runtime> {
  readonly #options: GivenModelsOptions<Runtime>;
  #files: StartFiles | undefined;
  #observer: StartObserver | undefined;

  constructor(options: GivenModelsOptions<Runtime>) {
    this.#options = options;
  }

  /** The first model is known: others may be, too. Before, one of them would be taken for it. */
  get areKnown(): boolean {
    return this.#files !== undefined;
  }

  /** What guesses for all that were made for it. */
  get draft(): FileProfile | undefined {
    return this.#files?.draft;
  }

  /** Told how far the start is, while it lasts. */
  get observer(): StartObserver | undefined {
    return this.#observer;
  }

  isFirst({ path }: FileProfile): boolean {
    return this.#options.manager.atStart()[0]?.plan.file.path === path;
  }

  /** Rejects with a sentence for a person when one is no model. */
  async read({ others, draft, embedding }: StartPaths): Promise<StartFiles> {
    return {
      others: await Promise.all(others.map((path) => readOtherModel(path, this.#options.read))),
      draft: draft === undefined ? undefined : await readModelProfile(draft),
      embedding: embedding === undefined ? undefined : await readModelProfile(embedding, { forVectors: true }),
      named: await this.#namedPlans(),
    };
  }

  async makeKnown(first: FileProfile, files: StartFiles): Promise<void> {
    const { manager, autoload, refresh } = this.#options;
    const { others, embedding, named } = files;
    this.#files = files;
    for (const file of [first, ...others, ...(embedding ? [embedding] : [])]) this.#add(file);
    for (const plan of named) manager.add(plan, { atStart: false });
    if (autoload) await refresh();
  }

  /** One that was downloaded later; without --autoload it is loaded. */
  async addLater(path: string, signal: AbortSignal): Promise<void> {
    const { read, autoload } = this.#options;
    const resident = this.#add(await readOtherModel(path, read));
    if (!autoload) await resident.load(signal);
  }

  /** Loads the first model and that for vectors, and without --autoload all that were given. */
  async load(observer: StartObserver, signal: AbortSignal): Promise<LoadedModel<Runtime>> {
    const { manager, autoload } = this.#options;
    this.#observer = observer;
    try {
      const [first, ...others] = manager.atStart();
      if (!first) throw new Error('makeKnown was not called');
      observer.progress('load', 0);
      // A chat model takes what memory there is for its context: those whose size is known come before it.
      const small = others.filter(({ plan }) => !plan.file.generates);
      for (const resident of small) await resident.load(signal);
      const loaded = await first.load(signal);
      manager.begin(first);
      if (!autoload) for (const resident of others) await resident.load(signal);
      return loaded;
    } finally {
      this.#observer = undefined;
    }
  }

  #add(file: FileProfile) {
    const named = this.#files?.named ?? [];
    const settings = named.find((plan) => plan.file.path === file.path)?.settings ?? {};
    return this.#options.manager.add({ file: withNames(file, named), settings }, { atStart: true });
  }

  async #namedPlans(): Promise<LoadPlan[]> {
    const { named, modelsDir, read } = this.#options;
    const plans: LoadPlan[] = [];
    for (const [name, { model, settings }] of Object.entries(named)) {
      const location = await locateModel(model, { modelsDir });
      if (location.type === 'local') plans.push({ file: await readOtherModel(location.path, read, name), settings });
    }
    return plans;
  }
}

/** The names that --models-file gives to this file too. */
function withNames(file: FileProfile, named: readonly LoadPlan[]): FileProfile {
  const names = named.filter((plan) => plan.file.path === file.path).map((plan) => plan.file.id);
  return { ...file, aliases: [...new Set([...file.aliases, ...names])] };
}
