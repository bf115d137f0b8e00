import { openChats } from '../chats/open-chats.ts';
import { type Config, packageVersion } from '../config.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import { defaultSlots, type ModelProfile } from '../contract/model.ts';
import type { GenerationService } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';
import { createSystemWeb } from '../fetching/system-web.ts';
import { createAdapterService } from '../generation/adapter-service.ts';
import { createApprovalRegistry } from '../generation/approvals.ts';
import { createCancelRegistry } from '../generation/cancellation.ts';
import { createGenerationService } from '../generation/generate.ts';
import { describeRuntimes, liveModel } from '../generation/live-state.ts';
import { chatModels, isGivingVectors, vectorModels } from '../generation/served-model.ts';
import { StartGate } from '../generation/start-gate.ts';
import { createTokenService } from '../generation/tokens.ts';
import { createEmbeddingService, createRerankService } from '../generation/vector-services.ts';
import { ConstraintCache } from '../grammar/constraint-cache.ts';
import { createApp } from '../http/app.ts';

import { openPageFiles } from '../http/page/page-files.ts';
import { prepareStart } from '../models/prepare-start.ts';
import type { StartObserver } from '../models/start-observer.ts';

import { openResponses } from '../responses/open-responses.ts';
import { createTemplatePool, type TemplatePool } from '../templates/template-pool.ts';
import { openUsage } from '../usage/open-usage.ts';
import { buildModels } from './build-models.ts';
import { createEnding } from './ending.ts';
import { pageWorker, templateChild } from './entries.ts';
import type { Groundwork } from './head-start.ts';
import { createKeys } from './keys.ts';
import { createMediaReader } from './media.ts';
import { constraintObserver, generationObserver, openTelemetry } from './observers.ts';
import { asksForTools, doorSettings, generationSettings, queueSettings, readWish } from './room-settings.ts';
import type { System } from './system.ts';

interface LoadedServer {
  readonly profile: ModelProfile;
  /** undefined with --embeddings: nothing is generated. */
  readonly engine: Engine | undefined;
}

/** Everything but a port. */
export interface BuiltServer {
  readonly app: ReturnType<typeof createApp>;
  /** What the app asks; for programs that hold the server inside. */
  readonly generation: GenerationService;
  /**
   * Downloads and loads the configured models. Until then generations wait, and everything else that needs one is
   * answered 503. Rejects with a ServeError that a person can act on; the app goes on without a model then.
   */
  load(observer: StartObserver, signal: AbortSignal): Promise<LoadedServer>;
  /** No new work; settles when the running answers are out, or after --drain-timeout. */
  drain(): Promise<void>;
  /** Takes the keys that --api-key-file holds now. A file that is wrong changes nothing. */
  rereadKeys(): void;
  /**
   * Ends what still runs, each answer in its own words: with what there is where that was shown, else as refused.
   * Settles when that is done, or after a few seconds.
   */
  finish(): Promise<void>;
  /** Finishes, fails what still runs then, and gives the memory back. */
  close(): Promise<void>;
}

export async function buildServer(config: Config, system: System, ground: Groundwork): Promise<BuiltServer> {
  const templates = createTemplatePool(templateChild, system.timers);
  if (!config.embeddings) templates.warm();
  try {
    return await build(config, system, ground, templates);
  } catch (error) {
    templates.close();
    await ground.head.early?.weights.discard();
    throw error;
  }
}

async function build(
  config: Config,
  system: System,
  ground: Groundwork,
  templates: TemplatePool,
): Promise<BuiltServer> {
  const { clock, timers, newId, unixMilliseconds } = system;
  const version = packageVersion();
  const observed = await openTelemetry(config, system);
  const { metrics, telemetry } = observed;
  const web = createSystemWeb(timers);
  const media = createMediaReader(config, timers);
  const gate = new StartGate(queueSettings(config, config.parallel ?? defaultSlots), timers);
  const models = buildModels({
    ...{ config, system, metrics, telemetry, templates, ground },
    media: { config, reader: media, web },
    onBegun: () => gate.open(),
  });
  const { directory, manager } = models;
  const chats = () => models.loaded().flatMap(({ chat }) => chat ?? []);
  metrics.watch(() => chats().map(liveModel));
  const toolHost = asksForTools(config)
    ? await (await import('../tools/open-tools.ts')).openTools(config, {
        ...system,
        web,
        log: telemetry.log,
        version,
        pageWorker,
      })
    : undefined;
  const tools = toolHost && { host: toolHost, approvals: createApprovalRegistry(timers) };
  const cancels = createCancelRegistry({ clock });
  const useModel = chatModels(directory);
  const useVectors = vectorModels(directory);
  const generation = createGenerationService({
    ...{ useModel, cancels, startGate: gate, clock, timers, tools },
    drawSeed: system.drawSeed,
    newToolCallId: () => `call_${newId().slice(0, 24)}`,
    settings: generationSettings(config),
    constraints: new ConstraintCache({ clock, onConstraint: constraintObserver(observed) }),
    observer: generationObserver(observed, config),
  });
  const kept = { now: unixMilliseconds, clock, timers, newId };
  const responseStore = await openResponses(config.responseStore, kept);
  const usage = await openUsage(config.responseStore, {
    ...kept,
    failed: (error) => telemetry.log('error', 'what the keys have used could not be written', { error }),
  });
  const { chatStore, noChatStore } = await openChats(config.chatStore, { ...kept, telemetry });
  const keys = createKeys(config, telemetry);
  const ending = createEnding({
    system,
    isBusy: () => cancels.size > 0 || models.loaded().some(isGivingVectors),
    endAnswers() {
      cancels.shutDown();
      models.events.close();
      chatStore?.endChanges();
    },
    settle: async () => chatStore?.settled(),
    closeTools: async () => toolHost?.close(),
  });
  const app = createApp({
    ...{ generation, models: directory, telemetry, metrics, version, clock, timers, newId, unixMilliseconds, usage },
    unixSeconds: () => Math.floor(unixMilliseconds() / 1000),
    embeddings: createEmbeddingService(useVectors),
    rerank: createRerankService(useVectors),
    tokens: createTokenService(useModel, toolHost),
    cancel: (which, caller) => cancels.cancel(which, caller),
    endThought: (which, caller) => cancels.endThought(which, caller),
    stopping: ending.signal,
    stats: () => describeRuntimes(chats(), version),
    adapters: createAdapterService(directory, chats),
    control: models.control,
    hub: models.hub,
    slots: () => manager.reports.slots(),
    ...{ responseStore, chatStore, noChatStore, serverTools: tools },
    page: config.ui ? await openPageFiles('ui') : undefined,
    guides: await openPageFiles('docs'),
    keyring: keys.current,
    settings: doorSettings(config),
  });
  const { given, files } = models;
  const start = await prepareStart({
    ...{ models: ground.models, firstFile: ground.head.file, read: readWish(config), given, files },
  });

  return {
    app,
    generation,
    async load(observer, signal) {
      try {
        const { profile, runtime } = await start(observer, signal);
        return { profile, engine: runtime.chat?.engine };
      } catch (error) {
        gate.fail(noModel(error));
        manager.giveUpStart();
        throw error;
      }
    },
    async drain() {
      manager.drain();
      gate.fail(new ServeError('draining', 'The server stops before its model was loaded.'));
      await ending.drain(config.drainTimeout * 1000);
    },
    rereadKeys: keys.reread,
    finish: ending.finish,
    async close() {
      manager.drain();
      await ending.finish();
      await ground.head.early?.weights.discard();
      await manager.close();
      templates.close();
      media.close();
      await responseStore?.close();
      await usage.close();
      metrics.close();
    },
  };
}

/** For those who waited for it. */
function noModel(thrown: unknown): ServeError {
  const { code, message } = toServeError(thrown);
  if (code === 'insufficient_memory') return new ServeError(code, message);
  return new ServeError('model_not_loaded', `The model could not be loaded: ${message}`);
}
