import { fileURLToPath } from 'node:url';
import { type Config, loadWish, speculationWish } from '../config.ts';
import type { LoadWish } from '../contract/load-wish.ts';
import type { ModelProfile } from '../contract/model.ts';
import type { ModelSettings, ScaledAdapter, Speculation } from '../contract/model-settings.ts';
import type { Telemetry } from '../contract/services.ts';
import type { LoadedEngine } from '../engine/load-options.ts';
import { loadModelInProcess } from '../engine/process/load.ts';
import type { StepReport } from '../engine/remote/protocol.ts';
import { loadModel } from '../engine/thread/load.ts';
import { Adapters } from '../generation/adapters.ts';
import type { ModelRuntime } from '../generation/runtime.ts';
import { shapeOf } from '../models/default-context.ts';
import { type Fit, placementWords, withOneProjector } from '../models/fit.ts';
import { fitNow } from '../models/fit-here.ts';
import { libraryFor, withGpus } from '../models/gpus.ts';
import { hugePageVariables } from '../models/huge-pages.ts';
import { completeProfile, type FileProfile } from '../models/profile.ts';
import { openKeptPrefixes } from '../scheduler/kept-prefixes.ts';
import { createScheduler, type Scheduler, type SchedulerObserver } from '../scheduler/scheduler.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { TemplateFacts } from '../templates/protocol.ts';
import type { TemplatePool } from '../templates/template-pool.ts';
import { openTemplates } from '../templates/workshop.ts';
import { engineChild, engineWorker } from './entries.ts';
import type { EarlyLoad } from './head-start.ts';
import { createImageMaker, type ImageMakerTools, imageCacheBytes } from './images.ts';
import { withUsableProjectors } from './known-projector.ts';
import { computeWish, weightsWish } from './load-settings.ts';
import { createTuningMemory, type System } from './system.ts';

export interface LoadTools {
  readonly config: Config;
  /** What the load says itself: it goes before the flags. */
  readonly own: ModelSettings;
  readonly system: System;
  readonly telemetry: Telemetry;
  readonly metrics: Metrics;
  /** Where calibrations are remembered. */
  readonly tuningFile: string;
  readonly templates: TemplatePool;
  readonly images: ImageMakerTools;
  /** What is loading already, see head-start. */
  readonly early: EarlyLoad | undefined;
  /** What guesses for it. */
  readonly draft: FileProfile | undefined;
  /** Those of the flags that were made for it. */
  readonly adapters: readonly ScaledAdapter[];
  /** Bytes of main memory that a model could take now. */
  readonly freeRam: () => number;
}

export interface LoadProgress {
  readonly signal: AbortSignal;
  progress(phase: 'load' | 'calibrate', fraction: number): void;
  /** The native context broke; the runtime serves no more. */
  failed(error: unknown): void;
}

/** Step time to aim at while somebody decodes: text still flows at 20 tokens a second beside a long prompt. */
const stepTargetMs = 50;

export interface RunningModel {
  readonly runtime: ModelRuntime;
  readonly loaded: LoadedEngine;
  dispose(): Promise<void>;
}

/** Weights, context, template, family and scheduler of one model. */
export async function loadRuntime(given: FileProfile, tools: LoadTools, load: LoadProgress): Promise<RunningModel> {
  const { telemetry, config, own, adapters, draft, early } = tools;
  const asked = loadWish(config, own);
  const wish = { ...asked, devices: withGpus(asked.devices, own.gpuIds) };
  const usable = withUsableProjectors(given, (sentence) => telemetry.log('warn', sentence, { model: given.id }));
  const fit = fitNow(usable, wish, { early, draft, freeRam: tools.freeRam() });
  const file = withOneProjector(usable, fit);
  if (file.projector !== usable.projector) {
    const words = `memory is short: images are read with ${file.projector?.path}, not with ${usable.projector?.path}`;
    telemetry.log('warn', words, { model: file.id });
  }
  const loaded = await loadEngine(file, { ...tools, wish, fit }, load);
  const { engine } = loaded;
  const profile: ModelProfile = completeProfile(file, {
    vocabulary: loaded.vocabulary,
    contextSize: engine.info.contextSize,
    slots: engine.info.slots,
    embeddingSize: loaded.embeddingSize,
  });
  const templates = await openTemplates(tools.templates, templateFacts(profile, config), load.signal).catch(
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
  return {
    runtime: {
      ...{ profile, engine, renderer, format, scheduler },
      ...(profile.projector &&
        engine.info.images && { images: createImageMaker(profile.projector, engine.info.images, tools.images) }),
      ...(adapters.length > 0 && { adapters: new Adapters(adapters) }),
    },
    loaded,
    async dispose() {
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
  const observer: Partial<SchedulerObserver> = {
    admitted: ({ source, reusedTokens }) => {
      if (source === 'copy' || source === 'snapshot') metrics.prefixRestored(id, reusedTokens);
    },
    refused: (cause) => metrics.refused(id, cause),
    snapshotDropped: ({ tokens }) => metrics.prefixDropped(id, tokens),
    transferFailed: (operation, error) => telemetry.log('warn', `prefix state: ${operation} failed`, { error }),
  };
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
      settings: {
        maxQueue: config.maxQueue ?? 16 * slots,
        queueTimeoutMs: config.queueTimeout * 1000,
        prefixCacheBytes,
      },
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
  tools: LoadTools & { readonly wish: LoadWish; readonly fit: Fit },
  load: LoadProgress,
): Promise<LoadedEngine> {
  const { config, own, system, metrics, tuningFile, early, wish, fit } = tools;
  const { contextSize, slots } = shapeOf(wish.placement);
  const options = {
    ...weightsWish(file.path, config, wish, fit),
    adapters: tools.adapters.map(({ path }) => ({ path })),
    contextSize: contextSize || undefined,
    slots,
    fitting: { contextSize: fit.contextSize, slots: fit.slots },
    placement: placementWords(fit),
    ...computeWish(config, own),
    speculation: speculationOf(tools),
    ...(file.projector && { projector: { file: file.projector, cacheBytes: imageCacheBytes(config) } }),
    stepTargetMs,
    signal: load.signal,
    onProgress: (fraction: number) => load.progress('load', fraction),
    onCalibrate: () => load.progress('calibrate', 0),
    onStep: ({ ms, ...tokens }: StepReport) => metrics.stepDone({ model: file.id, seconds: ms / 1000, ...tokens }),
    onFailure: load.failed,
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
        entry: engineWorker,
        clock: system.clock,
        tuningMemory: createTuningMemory(tuningFile),
        ...(early && { early: early.weights }),
      });
}

/** Without the draft model where it was left out. */
function speculationOf({ config, own, draft }: LoadTools): Speculation {
  if (draft) return { draftModel: draft.path };
  const wish = speculationWish(config, own);
  return typeof wish === 'object' ? 'off' : wish;
}
