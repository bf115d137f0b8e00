import type { HubCatalog } from '../contract/hub.ts';
import type { DeviceWish, LoadWish } from '../contract/load-wish.ts';
import type { ModelSettings, ScaledAdapter } from '../contract/model-settings.ts';
import type { Clock, ModelDirectory, Telemetry, Timers } from '../contract/services.ts';
import { ModelControlService } from './control.ts';
import { type ControlEvents, createControlEvents } from './control-events.ts';
import { shapeOf } from './default-context.ts';
import { GivenModels } from './given-models.ts';
import { gpusFor, libraryFor } from './gpus.ts';
import { createHubCatalog } from './hub-catalog.ts';
import type { LoadedModel, LoadObserver, LoadPlan } from './loaded-model.ts';
import { exists } from './locate.ts';
import { type FreeMemory, machineMemory, mainMemory, mappedBytes } from './machine-memory.ts';
import { type ManagerSettings, ModelManager } from './manager.ts';
import { ModelFiles, type ModelFilesOptions } from './model-files.ts';
import type { ReadWish } from './read-wish.ts';
import { type Company, ModelTrials, type TrialOptions } from './trials.ts';

export interface ModelsSettings extends ManagerSettings {
  readonly read: ReadWish;
  readonly modelsDir: string;
  /** Names that the user gave, with how to load them. */
  readonly named: ModelFilesOptions['named'];
  readonly hub: { readonly endpoint: string; readonly token: string | undefined };
  readonly devices: DeviceWish;
  readonly adapters: readonly ScaledAdapter[];
  /** What a load asks for that says this itself. */
  readonly wishOf: (own: ModelSettings) => LoadWish;
}

/** A load whose model has been tried. */
export interface TriedLoad extends LoadPlan, Company {
  readonly isFirst: boolean;
  /** Bytes of main memory that it could take now. */
  readonly freeRam: () => number;
}

export interface ModelsOptions<Runtime> extends Pick<TrialOptions, 'crashTest' | 'tryTemplates'> {
  readonly settings: ModelsSettings;
  readonly load: (load: TriedLoad, observer: LoadObserver) => Promise<LoadedModel<Runtime>>;
  /** Told of every load that has ended. */
  readonly onLoad: (load: { readonly model: string; readonly ok: boolean; readonly seconds: number }) => void;
  /** What the first model is called until its file is here. */
  readonly firstName: string;
  /** The first model is there, or is not waited for any more. */
  readonly onBegun: () => void;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Telemetry['log'];
}

/** The models of a server. */
export interface Models<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly given: GivenModels<Runtime>;
  readonly files: ModelFiles;
  readonly control: ModelControlService<Runtime>;
  readonly hub: HubCatalog;
  readonly events: ControlEvents;
  /** For those who use them. What a request may name is looked for anew. */
  readonly directory: ModelDirectory & Pick<ModelManager<Runtime>, 'forVectors' | 'use'>;
  /** What is loaded now. */
  loaded(): readonly Runtime[];
}

/** Loaded at the start, by the control API, or by the first request that names them. */
export function createModels<Runtime>(options: ModelsOptions<Runtime>): Models<Runtime> {
  const { settings, crashTest, tryTemplates, clock, timers, log } = options;
  const { read, modelsDir, named, hub, devices, adapters } = settings;
  const withProjectors = read.mmproj !== false;
  const events = createControlEvents();
  const inMemory = new Set<LoadedModel<Runtime>>();
  const freeMemory = () => memoryBeside(inMemory);
  const shapeFor = (own: ModelSettings) => shapeOf(settings.wishOf(own).placement);
  const memoryHere = () => machineMemory(libraryFor(devices));
  const trials = new ModelTrials({
    ...{ crashTest, tryTemplates, adapters, log },
    givesTemplate: read.chatTemplate !== undefined,
  });
  const files = new ModelFiles({
    ...{ modelsDir, named, hub, withProjectors, shapeOf: shapeFor, machineMemory: memoryHere },
    crashTest: (path, signal) => trials.crashTest(path, signal),
    onDownload: (progress) => events.publish({ type: 'progress', ...progress }),
    tell: (sentence) => log('warn', sentence),
  });
  const manager: ModelManager<Runtime> = new ModelManager({
    ...{ settings, shapeOf: shapeFor, events, freeMemory, clock, timers },
    firstName: options.firstName,
    onBegun: options.onBegun,
    check: (plan, signal) => trials.check(plan, signal, given.isFirst(plan.file)),
    load: timed(options, load),
  });
  const control = new ModelControlService({
    ...{ manager, files, events, modelsDir, named, withProjectors, freeMemory, timers },
    chatTemplate: read.chatTemplate,
    chatFormat: read.chatFormat,
    forVectors: read.embeddings,
    gpuNames: () => gpusFor(devices).map(({ description }) => description),
  });
  const given: GivenModels<Runtime> = new GivenModels({
    ...{ manager, read, named, modelsDir, autoload: settings.autoload },
    refresh: () => control.refresh(),
  });

  async function load(plan: LoadPlan, observer: LoadObserver): Promise<LoadedModel<Runtime>> {
    const company = plan.file.generates ? await trials.companyOf(plan, { given, files }, observer.signal) : alone;
    const isFirst = given.isFirst(plan.file);
    const loaded = await options.load(
      { ...plan, ...company, isFirst, freeRam: () => freeRamBeside(inMemory) },
      {
        ...{ signal: observer.signal, failed: (error) => observer.failed(error) },
        progress(phase, fraction) {
          observer.progress(phase, fraction);
          if (phase === 'load' || phase === 'calibrate') given.observer?.progress(phase, fraction);
        },
      },
    );
    inMemory.add(loaded);
    const dispose = async () => {
      inMemory.delete(loaded);
      await loaded.dispose();
    };
    return { ...loaded, dispose };
  }

  return {
    ...{ manager, given, files, control, events },
    hub: createHubCatalog({
      ...{ hub, modelsDir, machineMemory: memoryHere, shape: () => shapeFor({}) },
      tell: (sentence) => log('debug', sentence),
    }),
    directory: {
      state: () => manager.state(),
      list: () => manager.list(),
      resolve: (name) => manager.resolve(name),
      expect: (name) => manager.expect(name),
      forVectors: () => manager.forVectors(),
      use: (name, signal) => manager.use(name, signal),
      async known() {
        if (settings.autoload && given.areKnown) await control.refresh();
        const there = await Promise.all(
          manager.known().map(async (known) => ((await exists(known.profile.path)) ? [known] : [])),
        );
        return there.flat();
      },
    },
    loaded: () => [...inMemory].map(({ runtime }) => runtime),
  };
}

const alone: Company = { draft: undefined, adapters: [] };

function timed<Runtime>(
  { clock, onLoad }: Pick<ModelsOptions<Runtime>, 'clock' | 'onLoad'>,
  load: (plan: LoadPlan, observer: LoadObserver) => Promise<LoadedModel<Runtime>>,
) {
  return async (plan: LoadPlan, observer: LoadObserver): Promise<LoadedModel<Runtime>> => {
    const began = clock();
    const done = (ok: boolean) => onLoad({ model: plan.file.id, ok, seconds: (clock() - began) / 1000 });
    try {
      const loaded = await load(plan, observer);
      done(true);
      return loaded;
    } catch (error) {
      done(false);
      throw error;
    }
  };
}

type InMemory = ReadonlySet<Pick<LoadedModel<unknown>, 'memory'>>;

async function memoryBeside(loaded: InMemory): Promise<FreeMemory> {
  const [any] = [...loaded].flatMap(({ memory }) => memory ?? []);
  return { ram: freeRamBeside(loaded), device: await any?.freeDeviceBytes() };
}

/** Less the weights that are mapped: they would be read from the disk again and again. */
function freeRamBeside(loaded: InMemory): number {
  const processes = new Set([...loaded].flatMap(({ memory }) => (memory ? [memory.process] : [])));
  const mapped = [...processes].map((id) => mappedBytes(id)).reduce((sum, bytes) => sum + bytes, 0);
  return Math.max(0, mainMemory().available - mapped);
}
