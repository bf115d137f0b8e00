import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Config, loadWish } from '../config.ts';
import type { LoadWish } from '../contract/load-wish.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { Telemetry } from '../contract/services.ts';
import type { LoadedEngine } from '../engine/load-options.ts';
import { loadModelInProcess } from '../engine/process/load.ts';
import type { StepReport } from '../engine/remote/protocol.ts';
import { loadModel } from '../engine/thread/load.ts';
import { createTuningCache } from '../engine/tuning.ts';
import { createJsonFile } from '../files/json-file.ts';
import { Adapters } from '../generation/adapters.ts';
import { featuresOf, slotReports } from '../generation/live-state.ts';
import type { ModelRuntime } from '../generation/runtime.ts';
import type { ServedModel } from '../generation/served-model.ts';
import { type Fit, withOneProjector } from '../models/fit.ts';
import { fitNow } from '../models/fit-here.ts';
import { libraryFor, withGpus } from '../models/gpus.ts';
import { hugePageVariables } from '../models/huge-pages.ts';
import type { LoadedModel, LoadObserver } from '../models/loaded-model.ts';
import type { ModelsOptions, TriedLoad } from '../models/models.ts';
import { completeProfile, type FileProfile } from '../models/profile.ts';
import { openKeptPrefixes } from '../scheduler/kept-prefixes.ts';
import { createScheduler, type Scheduler } from '../scheduler/scheduler.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TemplateFacts } from '../templates/protocol.ts';
import type { TemplatePool } from '../templates/template-pool.ts';
import { openTemplates } from '../templates/workshop.ts';
import { engineChild, engineWorker } from './entries.ts';
import type { EarlyLoad } from './head-start.ts';
import { withUsableProjectors } from './known-projector.ts';
import { engineSettings } from './load-settings.ts';
import { createMediaMaker, type MediaMakerTools, mediaCacheBytes } from './media.ts';
import { schedulerObserver } from './observers.ts';
import { queueSettings } from './room-settings.ts';
import type { System } from './system.ts';
import { loadVectors } from './vectors.ts';

export interface LoadTools {
  readonly config: Config;
  readonly system: System;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
  readonly templates: TemplatePool;
  readonly media: MediaMakerTools;
  /** What is loading already, see head-start. */
  readonly early: EarlyLoad | undefined;
}

/** One model: what generates gives vectors too. */
export function loadModelWith(tools: LoadTools): ModelsOptions<ServedModel>['load'] {
  return (load, observer) =>
    load.file.generates ? loadRuntime(load, tools, observer) : loadVectors(load, tools.config, observer);
}

/** Weights, context, template, family and scheduler of one model. */
async function loadRuntime(
  load: TriedLoad,
  tools: LoadTools,
  observer: LoadObserver,
): Promise<LoadedModel<ServedModel>> {
  const { file: given, settings: own, adapters, draft } = load;
  const { telemetry, config, early } = tools;
  const asked = loadWish(config, own);
  const wish = { ...asked, devices: withGpus(asked.devices, own.gpuIds) };
  const usable = withUsableProjectors(given, (sentence) => telemetry.log('warn', sentence, { model: given.id }));
  const fit = fitNow(usable, wish, { early, draft, freeRam: load.freeRam() });
  const file = withOneProjector(usable, fit);
  if (file.projector !== usable.projector) {
    const words = `memory is short: images are read with ${file.projector?.path}, not with ${usable.projector?.path}`;
    telemetry.log('warn', words, { model: file.id });
  }
  const loaded = await loadEngine(file, { ...load, wish, fit }, tools, observer);
  const { engine } = loaded;
  const profile: ModelProfile = completeProfile(file, {
    vocabulary: loaded.vocabulary,
    contextSize: engine.info.contextSize,
    slots: engine.info.slots,
    embeddingSize: loaded.embeddingSize,
  });
  const templates = await openTemplates(tools.templates, templateFacts(profile, config), observer.signal).catch(
    async (error: unknown) => {
      await engine.dispose();
      throw error;
    },
  );
  const { format, renderer } = templates;
  telemetry.log('info', `chat format: ${format.name}${profile.chatTemplate ? '' : ' (the model has no template)'}`);
  if (fit.short) {
    const { contextSize, slots } = fit;
    telemetry.log('warn', `memory is short: ${contextSize} tokens in each of ${slots} slots`, { model: file.id });
  }
  const prefixCacheBytes = fit.prefixCache;
  const scheduler = await schedule(loaded, profile, { ...tools, prefixCacheBytes });
  telemetry.log('info', 'engine tuned', { model: file.id, ...loaded.tuning });
  const chat: ModelRuntime = {
    ...{ profile, engine, renderer, format, scheduler },
    ...(profile.projector &&
      engine.info.media && { media: createMediaMaker(profile.projector, engine.info.media, tools.media) }),
    ...(adapters.length > 0 && { adapters: new Adapters(adapters) }),
  };
  // It gives vectors too; their contexts are made on first use.
  const { embedder, ranker } = loaded.openVectors();
  return {
    runtime: { vectors: { id: profile.id, embedder, ranker }, chat },
    profile,
    features: featuresOf(chat),
    device: engine.info.device,
    memory: { process: engine.info.processId ?? 'self', freeDeviceBytes: loaded.freeDeviceBytes },
    slots: () => slotReports(chat),
    async dispose() {
      await Promise.all([embedder.dispose(), ranker?.dispose()]);
      templates.close();
      await scheduler.close();
      await engine.dispose();
    },
  };
}

export function templateFacts(profile: TemplatesOfModel, config: Pick<Config, 'gpu'>): TemplateFacts {
  const { chatTemplate, toolTemplate, chatFormat, vocabulary } = profile;
  return { chatTemplate, toolTemplate, chatFormat, vocabulary, libraryFolder: libraryFor(config).folder };
}

type TemplatesOfModel = Pick<ModelProfile, 'chatTemplate' | 'toolTemplate' | 'chatFormat' | 'vocabulary'>;

async function schedule(
  { engine }: LoadedEngine,
  profile: ModelProfile,
  tools: LoadTools & { readonly prefixCacheBytes: number },
): Promise<Scheduler> {
  const { config, system, metrics, telemetry, prefixCacheBytes } = tools;
  const { id, slots } = profile;
  const observer = schedulerObserver({ metrics, telemetry }, id);
  try {
    const files = await openKeptPrefixes(engine, {
      folder: config.prefixCacheDir,
      telemetry,
      observer,
      budget: prefixCacheBytes,
    });
    return createScheduler({
      engine,
      clock: system.clock,
      timers: system.timers,
      settings: { ...queueSettings(config, slots), prefixCacheBytes },
      observer,
      ...(files && { files }),
    });
  } catch (error) {
    await engine.dispose();
    throw error;
  }
}

function loadEngine(
  file: FileProfile,
  load: TriedLoad & { readonly wish: LoadWish; readonly fit: Fit },
  { config, system, metrics, telemetry, early }: LoadTools,
  observer: LoadObserver,
): Promise<LoadedEngine> {
  const tuningFile = join(config.cacheFolder, 'tuning.json');
  const options = {
    ...engineSettings(file.path, config, load),
    ...(file.projector && { projector: { file: file.projector, cacheBytes: mediaCacheBytes(config) } }),
    signal: observer.signal,
    onProgress: (fraction: number) => observer.progress('load', fraction),
    onCalibrate: () => observer.progress('calibrate', 0),
    onStep: ({ ms, ...tokens }: StepReport) => metrics.stepDone({ model: file.id, seconds: ms / 1000, ...tokens }),
    onFailure: (error: unknown) => {
      telemetry.log('error', 'the engine failed', { model: file.id, error });
      observer.failed(error);
    },
  };
  return config.engineProcess
    ? loadModelInProcess({
        ...options,
        tuningFile,
        timers: system.timers,
        entry: fileURLToPath(engineChild),
        env: { ...process.env, ...hugePageVariables(process.env) },
      })
    : loadModel({
        ...options,
        ...{ entry: engineWorker, waitAtExit: config.waitAtExit },
        clock: system.clock,
        tuningCache: createTuningCache(createJsonFile(tuningFile, {})),
        ...(early && { early: early.weights }),
      });
}
