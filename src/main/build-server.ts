import { openChats } from '../chats/open-chats.ts';
import { allKeys, type Config, packageVersion, readKeyFile } from '../config.ts';
import { ServeError, toServeError } from '../contract/errors.ts';
import { defaultSlots, type ModelProfile } from '../contract/model.ts';
import type { GenerationService } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';
import { createSystemWeb } from '../fetching/system-web.ts';
import { createAdapterService } from '../generation/adapter-service.ts';
import { createCancelRegistry } from '../generation/cancellation.ts';
import { createGenerationService } from '../generation/generate.ts';
import { describeRuntimes, liveModel } from '../generation/live-state.ts';
import { chatModels, vectorModels } from '../generation/served-model.ts';
import { StartGate } from '../generation/start-gate.ts';
import { createTokenService } from '../generation/tokens.ts';
import { createEmbeddingService, createRerankService } from '../generation/vector-services.ts';
import { ConstraintCache } from '../grammar/constraint-cache.ts';
import { createKeyring, type Keyring } from '../http/access/keyring.ts';
import { createApp } from '../http/app.ts';
import { type DoorSettings, defaultDoorSettings } from '../http/dependencies.ts';
import { openPageFiles } from '../http/page/page-files.ts';
import { openResponses } from '../responses/open-responses.ts';
import { createTelemetry } from '../telemetry/log.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createSpans, loadOpenTelemetry } from '../telemetry/spans.ts';
import type { TemplatePool } from '../templates/template-pool.ts';
import { openUsage } from '../usage/open-usage.ts';
import { elapsed } from './elapsed.ts';
import type { Groundwork } from './head-start.ts';
import { createImageReader } from './images.ts';
import { createManagedModels } from './managed-models.ts';
import { prepareStart } from './prepare-start.ts';
import { expectedName } from './start-models.ts';
import type { StartObserver } from './start-observer.ts';
import type { System } from './system.ts';
import { createTemplatePool } from './template-pool.ts';
import { createToolBench } from './tools.ts';

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
  const templates = createTemplatePool(system.timers);
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
  const { early } = ground.head;
  const metrics = createMetrics({
    compat: config.metricsCompat,
    byKey: config.metrics === 'token',
    version: packageVersion(),
  });
  const openTelemetry = await loadOpenTelemetry();
  const spans =
    openTelemetry && createSpans(openTelemetry, { version: packageVersion(), now: system.unixMilliseconds });
  const telemetry = createTelemetry({
    level: config.logLevel,
    format: config.logFormat,
    logPrompts: config.logPrompts,
    color: process.stdout.isTTY,
    stream: process.stdout,
    now: system.unixMilliseconds,
    onRequest: (record) => {
      metrics.requestDone(record);
      spans?.(record);
    },
  });
  const gate = new StartGate(
    {
      maxQueue: config.maxQueue ?? 16 * (config.parallel ?? defaultSlots),
      queueTimeoutMs: config.queueTimeout * 1000,
    },
    system.timers,
  );
  const images = createImageReader(config, system.timers);
  const web = createSystemWeb(system.timers);
  const managed = createManagedModels({
    config,
    system,
    telemetry,
    metrics,
    templates,
    images: { config, reader: images, web },
    early,
    firstName: expectedName(ground.models, ground.head.file),
    onBegun: () => gate.open(),
  });
  metrics.watch(() => managed.runtimes().map(liveModel));
  const models = managed.directory;
  const useModel = chatModels(models);
  const useVectors = vectorModels(models);
  const cancels = createCancelRegistry({ clock: system.clock });
  const tools = await createToolBench(config, { system, web, log: telemetry.log });
  const generation = createGenerationService({
    useModel,
    cancels,
    startGate: gate,
    ...(tools && { tools }),
    clock: system.clock,
    timers: system.timers,
    drawSeed: system.drawSeed,
    newToolCallId: () => `call_${system.newId().slice(0, 24)}`,
    settings: {
      maxPredictMs: config.maxPredictSeconds * 1000,
      autoHealToolCalls: config.autoHealToolCalls,
      checkToolNames: config.toolNameCheck,
      strictTools: config.strictTools,
    },
    constraints: new ConstraintCache({
      clock: system.clock,
      onConstraint: ({ cached, milliseconds, loosened }) => {
        if (cached) metrics.grammarCacheHit();
        else metrics.grammarCompiled(milliseconds / 1000);
        for (const { isWarning, sentence } of loosened) telemetry.log(isWarning ? 'warn' : 'debug', sentence);
      },
    }),
    observer: {
      cancelled: (phase) => metrics.cancelled(phase),
      timeLimit: () => telemetry.log('warn', 'an answer was ended by --max-predict-seconds'),
      tokenGap: (model, ms) => metrics.tokenGap(model, ms / 1000),
      ...(config.logPrompts && { texts: ({ ...texts }) => telemetry.log('info', 'texts', texts) }),
      repaired: (places) => metrics.toolCallsRepaired(places),
      misfit: (sentence) => telemetry.log('warn', sentence),
      toolCalled: ({ owner, ...call }) => telemetry.log('info', 'tool call', { key: owner || undefined, ...call }),
    },
  });
  let keyring = keyringOf(config);
  const { clock, unixMilliseconds: now, timers, newId } = system;
  const responseStore = await openResponses(config.responseStore, { now });
  const usage = await openUsage(config.responseStore, {
    ...{ now, timers, newId },
    failed: (error) => telemetry.log('error', 'what the keys have used could not be written', { error }),
  });
  const chats = await openChats(config.chatStore, { now, clock, timers, newId, telemetry });
  const page = config.ui ? await openPageFiles('ui') : undefined;
  const guides = await openPageFiles('docs');
  const stopping = new AbortController();
  const finish = async () => {
    if (stopping.signal.aborted) return;
    cancels.shutDown();
    managed.endEvents();
    if ('chatStore' in chats) chats.chatStore.endChanges();
    stopping.abort();
    const last = async () => {
      await idle(() => cancels.size > 0 || managed.givesVectors, system);
      // The last answers, into their chats.
      if ('chatStore' in chats) await chats.chatStore.settled();
    };
    await Promise.race([last(), elapsed(system, longestFinishMs)]);
    await Promise.race([tools?.host.close(), elapsed(system, longestFinishMs)]);
  };
  const app = createApp({
    generation,
    models,
    embeddings: createEmbeddingService(useVectors),
    rerank: createRerankService(useVectors),
    tokens: createTokenService(useModel, tools?.host),
    telemetry,
    clock: system.clock,
    unixSeconds: () => Math.floor(system.unixMilliseconds() / 1000),
    unixMilliseconds: system.unixMilliseconds,
    newId: system.newId,
    timers: system.timers,
    cancel: (keys, caller) => cancels.cancel(keys, caller),
    endThought: (which, caller) => cancels.endThought(which, caller),
    stopping: stopping.signal,
    metrics,
    version: packageVersion(),
    stats: () => describeRuntimes(managed.runtimes(), packageVersion()),
    adapters: createAdapterService(models, managed.runtimes),
    control: managed.control,
    hub: managed.hub,
    slots: () => managed.manager.reports.slots(),
    usage,
    ...(responseStore && { responseStore }),
    ...chats,
    ...(page && { page }),
    ...(guides && { guides }),
    ...(tools && { serverTools: tools }),
    keyring: () => keyring,
    settings: doorSettings(config),
  });
  const start = await prepareStart(config, ground, managed);

  return {
    app,
    generation,
    async load(observer, signal) {
      try {
        const { profile, runtime: served } = await start(observer, signal);
        return { profile, engine: served.chat?.engine };
      } catch (error) {
        gate.fail(noModel(error));
        managed.manager.giveUpStart();
        throw error;
      }
    },
    async drain() {
      managed.manager.drain();
      gate.fail(new ServeError('draining', 'The server stops before its model was loaded.'));
      await Promise.race([
        idle(() => cancels.size > 0 || managed.givesVectors, system),
        elapsed(system, config.drainTimeout * 1000),
      ]);
    },
    rereadKeys() {
      const path = config.keyFile?.path;
      if (path === undefined) return;
      try {
        keyring = keyringOf({ ...config, keyFile: readKeyFile(path) });
        telemetry.log('info', `keys were read again: they are those of ${keyring.owners.join(', ')}`);
      } catch (error) {
        telemetry.log('error', 'keys were not read again, the earlier ones stay', { error });
      }
    },
    finish,
    async close() {
      managed.manager.drain();
      await finish();
      await early?.weights.discard();
      await managed.manager.close();
      templates.close();
      images.close();
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

function keyringOf(config: Pick<Config, 'apiKey' | 'keyFile' | 'adminToken'>): Keyring {
  return createKeyring({ keys: allKeys(config), adminToken: config.adminToken });
}

function doorSettings(config: Config): DoorSettings {
  return {
    ...defaultDoorSettings,
    gatherMs: 25,
    corsOrigins: config.corsOrigin,
    allowedHosts: config.allowedHost,
    boundHost: config.host,
    toolAllow: config.toolAllow,
    toolsFor: config.toolsFor,
    defaultTools: config.defaultTools,
    cacheScope: config.cacheScope,
    metrics: config.metrics,
    metricsToken: config.metricsToken,
    maxInFlight: config.maxInFlight,
    maxStreamsPerKey: config.maxStreamsPerKey,
    rateLimitRpm: config.rateLimitRpm,
    rateLimitTpm: config.rateLimitTpm,
    maxBodyBytes: config.maxBodyMb * 1024 * 1024,
    maxJsonDepth: config.maxJsonDepth,
    bodyTimeoutMs: config.bodyTimeout * 1000,
  };
}

/** A step in flight, of 512 prompt tokens with a small model on two cores, takes about 3 s. */
const longestFinishMs = 4000;
const idlePollMs = 50;

async function idle(isBusy: () => boolean, system: System): Promise<void> {
  while (isBusy()) await elapsed(system, idlePollMs);
}
