import { createHash } from 'node:crypto';
import { adapterWishes, contextWish, loadWish } from '../config.ts';
import type { ModelFeatures } from '../contract/control.ts';
import type { ScaledAdapter } from '../contract/model-settings.ts';
import { slotReports } from '../generation/live-state.ts';
import type { ModelRuntime } from '../generation/runtime.ts';
import type { ServedModel, ServedModels } from '../generation/served-model.ts';
import { checkAdapter } from '../models/adapter-file.ts';
import { ModelControlService } from '../models/control.ts';
import { createControlEvents } from '../models/control-events.ts';
import { shapeOf } from '../models/default-context.ts';
import { otherTokens, speaksSameTokens } from '../models/draft-model.ts';
import { bundledModelPath, findModel } from '../models/find-model.ts';
import { readGguf } from '../models/gguf.ts';
import { gpusFor, libraryFor, withGpus } from '../models/gpus.ts';
import { createHubCatalog } from '../models/hub-catalog.ts';
import type { LoadedModel, LoadObserver, LoadPlan } from '../models/loaded-model.ts';
import { exists, locateModel } from '../models/locate.ts';
import { type FreeMemory, machineMemory, mainMemory, mappedBytes } from '../models/machine-memory.ts';
import { ModelManager } from '../models/manager.ts';
import { ModelFiles } from '../models/model-files.ts';
import { type ProbeMemory, probeModel } from '../models/probe.ts';
import { type FileProfile, readModelProfile, unknownVocabulary } from '../models/profile.ts';
import { openTemplates } from '../templates/workshop.ts';
import { probeChild } from './entries.ts';
import { type LoadProgress, type LoadTools, loadRuntime, type RunningModel, templateFacts } from './load-runtime.ts';
import type { StartObserver } from './start-observer.ts';
import { createFileMemory, memoryFile } from './system.ts';
import { loadVectors } from './vectors.ts';

export interface ManagedModelsOptions extends Omit<LoadTools, 'own' | 'adapters' | 'tuningFile' | 'freeRam' | 'draft'> {
  /** What the first model is called until its file is here. */
  readonly firstName: string;
  /** The first model is there, or is not waited for any more. */
  readonly onBegun: () => void;
}

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

const defaultKeepAliveSeconds = 300;

/** The models of the server: loaded at start, by the control API, or by the first request that names them. */
export function createManagedModels(options: ManagedModelsOptions) {
  const { config, system, metrics, telemetry } = options;
  const forVectors = config.embeddings;
  /** A projector that is named is the first model's. */
  const withProjectors = config.mmproj !== false;
  const noProjector = withProjectors ? {} : { projector: false as const };
  const tuningFile = memoryFile('tuning.json');
  const probeMemory: ProbeMemory = createFileMemory(memoryFile('sound-models.json'));
  const soundTemplates = createFileMemory(memoryFile('sound-templates.json'));
  const events = createControlEvents();
  let starting: StartObserver | undefined;
  /** The first model is known: others may be, too. Before, one of them would be taken for it. */
  let prepared: StartFiles | undefined;
  /** What is loaded now. */
  const served = new Set<ServedModel>();
  /** Of those that generate, for looking at the memory of their device. */
  const running = new Set<RunningModel>();

  const manager = new ModelManager<ServedModel>({
    load: loadTimed,
    shapeOf: (own) => shapeOf(contextWish(config, own)),
    check,
    events,
    freeMemory,
    clock: system.clock,
    timers: system.timers,
    firstName: options.firstName,
    onBegun: options.onBegun,
    settings: {
      strict: config.strictModel,
      autoload: config.autoload,
      keepAliveMs: (config.keepAlive ?? defaultKeepAliveSeconds) * 1000,
      startKeepAliveMs: config.keepAlive === undefined ? undefined : config.keepAlive * 1000,
    },
  });

  const files = new ModelFiles({
    modelsDir: config.modelsDir,
    named: config.namedModels,
    hub: { endpoint: config.hfEndpoint, token: config.hfToken },
    probe,
    withProjectors,
    machineMemory: () => machineMemory(libraryFor(config)),
    shapeOf: (own) => shapeOf(contextWish(config, own)),
    onDownload: (progress) => events.publish({ type: 'progress', ...progress }),
    tell: (sentence) => telemetry.log('warn', sentence),
  });

  const hub = createHubCatalog({
    hub: { endpoint: config.hfEndpoint, token: config.hfToken },
    modelsDir: config.modelsDir,
    machineMemory: () => machineMemory(libraryFor(config)),
    shape: () => shapeOf(contextWish(config)),
    tell: (sentence) => telemetry.log('debug', sentence),
  });

  const control = new ModelControlService<ServedModel>({
    manager,
    files,
    events,
    modelsDir: config.modelsDir,
    named: config.namedModels,
    chatTemplate: config.chatTemplate,
    chatFormat: config.chatFormat,
    withProjectors,
    forVectors,
    freeMemory,
    gpuNames: () => gpusFor(config).map(({ description }) => description),
    timers: system.timers,
  });

  const directory: ServedModels = {
    state: () => manager.state(),
    list: () => manager.list(),
    resolve: (name) => manager.resolve(name),
    expect: (name) => manager.expect(name),
    forVectors: () => manager.forVectors(),
    use: (name, signal) => manager.use(name, signal),
    async known() {
      if (config.autoload && prepared) await control.refresh();
      const there = await Promise.all(
        manager.known().map(async (known) => ((await exists(known.profile.path)) ? [known] : [])),
      );
      return there.flat();
    },
  };

  return {
    manager,
    directory,
    control,
    hub,
    files,
    /** Ends the streams of those who watch: the server stops. */
    endEvents: () => events.close(),
    /** What generates now. */
    runtimes: (): ModelRuntime[] => [...running].map(({ runtime }) => runtime),
    /** Whether somebody waits for vectors. */
    get givesVectors() {
      return [...served].some(({ vectors: { embedder, ranker } }) => embedder.busy || ranker?.busy);
    },
    /** Reads what was given at the start. Rejects with a sentence for a person when one is no model. */
    async readFiles({ others, draft, embedding }: StartPaths): Promise<StartFiles> {
      return {
        others: await Promise.all(others.map(readGiven)),
        draft: draft === undefined ? undefined : await readModelProfile(draft),
        embedding: embedding === undefined ? undefined : await readModelProfile(embedding, { forVectors: true }),
        named: await namedPlans(),
      };
    },
    /** Makes the given models known. */
    async prepare(first: FileProfile, given: StartFiles): Promise<void> {
      const { others, embedding, named } = given;
      prepared = given;
      for (const file of [first, ...others, ...(embedding ? [embedding] : [])]) addGiven(file);
      for (const plan of named) manager.add(plan, { atStart: false });
      if (config.autoload) await control.refresh();
    },
    /** Makes one known that was downloaded later, and without --autoload loads it. */
    async add(path: string, signal: AbortSignal): Promise<void> {
      const resident = addGiven(await readGiven(path));
      if (!config.autoload) await resident.load(signal);
    },
    /** Loads the first model and that for vectors, and without --autoload all that were given. */
    async start(observer: StartObserver, signal: AbortSignal): Promise<LoadedModel<ServedModel>> {
      starting = observer;
      try {
        const [first, ...others] = manager.atStart();
        if (!first) throw new Error('prepare was not called');
        observer.progress('load', 0);
        // A chat model takes what memory there is for its context: those whose size is known come before it.
        const small = others.filter(({ plan }) => !plan.file.generates);
        for (const resident of small) await resident.load(signal);
        const loaded = await first.load(signal);
        manager.begin(first);
        if (!config.autoload) for (const resident of others) await resident.load(signal);
        return loaded;
      } finally {
        starting = undefined;
      }
    },
  };

  function readGiven(path: string): Promise<FileProfile> {
    const { chatTemplate, chatFormat } = config;
    return readModelProfile(path, { chatTemplate, chatFormat, forVectors, ...noProjector });
  }

  function addGiven(file: FileProfile) {
    const named = prepared?.named ?? [];
    const settings = named.find((plan) => plan.file.path === file.path)?.settings ?? {};
    return manager.add({ file: withNames(file, named), settings }, { atStart: true });
  }

  async function namedPlans(): Promise<LoadPlan[]> {
    const { chatTemplate, chatFormat, modelsDir } = config;
    const plans: LoadPlan[] = [];
    for (const [name, { model, settings }] of Object.entries(config.namedModels)) {
      const location = await locateModel(model, { modelsDir });
      if (location.type !== 'local') continue;
      const options = { aliases: [name], chatTemplate, chatFormat, forVectors, ...noProjector };
      const file = await readModelProfile(location.path, options);
      plans.push({ file, settings });
    }
    return plans;
  }

  async function loadTimed(plan: LoadPlan, observer: LoadObserver): Promise<LoadedModel<ServedModel>> {
    const began = system.clock();
    const model = plan.file.id;
    const done = (ok: boolean) => metrics.modelLoaded({ model, ok, seconds: (system.clock() - began) / 1000 });
    try {
      const loaded = await load(plan, observer);
      done(true);
      return loaded;
    } catch (error) {
      done(false);
      throw error;
    }
  }

  /** Of files that were found sound before, nothing is tried again. */
  async function check({ file, settings }: LoadPlan, signal: AbortSignal): Promise<void> {
    await probe(file.path, signal);
    const isBundled = file.path === bundledModelPath && (settings.chatTemplate ?? config.chatTemplate) === undefined;
    if (!file.generates) return;
    await adaptersFor(file, signal);
    if (!isBundled) await tryTemplates(file, signal);
  }

  /** Those of the flags, read and tried. Left out for models that they were not made for. */
  async function adaptersFor(file: FileProfile, signal: AbortSignal): Promise<readonly ScaledAdapter[]> {
    const adapters = adapterWishes(config);
    if (adapters.length === 0) return [];
    const paths = adapters.map(({ path }) => path);
    const { parts } = await findModel(file.path);
    const headers = await Promise.all(parts.map((part) => readGguf(part)));
    try {
      for (const path of paths) await checkAdapter(path, headers);
    } catch (error) {
      if (isFirst(file)) throw error;
      telemetry.log('warn', `${file.id} is loaded without adapters`, { error });
      return [];
    }
    await probeModel(file.path, { entry: probeChild, signal, memory: probeMemory, adapters: paths });
    return adapters;
  }

  /** As they are rendered later, but for what the vocabulary tells. */
  async function tryTemplates(file: FileProfile, signal: AbortSignal): Promise<void> {
    const facts = templateFacts({ ...file, vocabulary: unknownVocabulary }, config);
    const fingerprint = createHash('sha256').update(JSON.stringify(facts)).digest('hex');
    if (soundTemplates.has(fingerprint)) return;
    const tried = await openTemplates(options.templates, facts, signal);
    tried.close();
    soundTemplates.add(fingerprint);
  }

  async function load(plan: LoadPlan, observer: LoadObserver): Promise<LoadedModel<ServedModel>> {
    const progress = (phase: 'load' | 'calibrate', fraction: number) => {
      observer.progress(phase, fraction);
      starting?.progress(phase, fraction);
    };
    return plan.file.generates ? loadForChat(plan, observer, progress) : loadForVectors(plan, observer, progress);
  }

  /** Tried like any other file. That of the flags is left out for models of another vocabulary. */
  async function draftFor({ file, settings: { speculation } }: LoadPlan, signal: AbortSignal) {
    const own = typeof speculation === 'object' ? speculation.draftModel : undefined;
    const path = speculation === undefined ? prepared?.draft?.path : own;
    if (path === undefined) return undefined;
    const draft = await files.admit(path, signal);
    if (speaksSameTokens(draft, file)) return draft;
    if (own !== undefined || isFirst(file)) throw otherTokens(draft, file);
    telemetry.log('warn', `${draft.id} has another vocabulary than ${file.id}, which is loaded without a draft model`);
    return undefined;
  }

  async function loadForChat(plan: LoadPlan, observer: LoadObserver, progress: LoadProgress['progress']) {
    const draft = await draftFor(plan, observer.signal);
    const adapters = await adaptersFor(plan.file, observer.signal);
    const tools = { ...options, own: plan.settings, draft, adapters, tuningFile, freeRam };
    const model = await loadRuntime(plan.file, tools, {
      signal: observer.signal,
      progress,
      failed: (error) => {
        telemetry.log('error', 'the engine failed', { model: plan.file.id, error });
        observer.failed(error);
      },
    });
    telemetry.log('info', 'engine tuned', { model: plan.file.id, ...model.loaded.tuning });
    const { runtime } = model;
    // It gives vectors too; their contexts are made on first use.
    const { embedder, ranker } = model.loaded.openVectors();
    const here: ServedModel = { vectors: { id: runtime.profile.id, embedder, ranker }, chat: runtime };
    running.add(model);
    served.add(here);
    return {
      runtime: here,
      profile: runtime.profile,
      features: featuresOf(runtime),
      device: runtime.engine.info.device,
      slots: () => slotReports(runtime),
      dispose: async () => {
        running.delete(model);
        served.delete(here);
        await Promise.all([embedder.dispose(), ranker?.dispose()]);
        await model.dispose();
      },
    };
  }

  async function loadForVectors(plan: LoadPlan, observer: LoadObserver, progress: LoadProgress['progress']) {
    const asked = loadWish(config, plan.settings);
    const { vectors, profile, dispose } = await loadVectors(plan.file, {
      config,
      wish: { ...asked, devices: withGpus(asked.devices, plan.settings.gpuIds) },
      // The context of a chat server is no wish for the model beside it.
      maxTokens: plan.settings.contextSize ?? (isFirst(plan.file) ? config.ctxSize || undefined : undefined),
      signal: observer.signal,
      progress: (fraction) => progress('load', fraction),
    });
    const here: ServedModel = { vectors };
    served.add(here);
    return {
      runtime: here,
      profile,
      features: noFeatures,
      device: 'embeddings only',
      slots: () => [],
      dispose: async () => {
        served.delete(here);
        await dispose();
      },
    };
  }

  function isFirst({ path }: FileProfile): boolean {
    return manager.atStart()[0]?.plan.file.path === path;
  }

  async function probe(path: string, signal: AbortSignal): Promise<void> {
    if (path !== bundledModelPath) await probeModel(path, { entry: probeChild, signal, memory: probeMemory });
  }

  async function freeMemory(): Promise<FreeMemory> {
    const [any] = running;
    return { ram: freeRam(), device: await any?.loaded.freeDeviceBytes() };
  }

  /** Less the weights that are mapped: they would be read from the disk again and again. */
  function freeRam(): number {
    const processes = new Set<number | 'self'>(
      [...running].map(({ runtime }) => runtime.engine.info.processId ?? 'self'),
    );
    const mapped = [...processes].map((id) => mappedBytes(id)).reduce((sum, bytes) => sum + bytes, 0);
    return Math.max(0, mainMemory().available - mapped);
  }
}

const noFeatures: ModelFeatures = {
  supportsTools: false,
  supportsReasoning: false,
  reasoningStyle: undefined,
  reasoningAlwaysOn: false,
  supportsPreserveThinking: false,
};

function featuresOf({ renderer, adapters }: ModelRuntime): ModelFeatures {
  const { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking } =
    renderer.capabilities;
  const hasAdapters = adapters !== undefined;
  return { supportsTools, supportsReasoning, reasoningStyle, reasoningAlwaysOn, supportsPreserveThinking, hasAdapters };
}

/** The names that --models-file gives to this file too. */
function withNames(file: FileProfile, named: readonly LoadPlan[]): FileProfile {
  const names = named.filter((plan) => plan.file.path === file.path).map((plan) => plan.file.id);
  return { ...file, aliases: [...new Set([...file.aliases, ...names])] };
}
