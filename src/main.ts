import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Config, packageVersion } from './config.ts';
import type { ModelProfile } from './contract/model.ts';
import { createCancelRegistry } from './generation/cancellation.ts';
import { createGenerationService } from './generation/generate.ts';
import { createApp } from './http/app.ts';
import { type DoorSettings, defaultDoorSettings } from './http/dependencies.ts';
import { listen } from './http/listen.ts';
import { loadRuntime } from './main/load-runtime.ts';
import { openConfiguredStore } from './main/response-store.ts';
import { createSingleModel } from './main/single-model.ts';
import { createTuningMemory, realSystem, type System } from './main/system.ts';
import { readModelProfile } from './models/profile.ts';
import { createTelemetry } from './telemetry/log.ts';
import { createMetrics } from './telemetry/metrics.ts';

export interface StartObserver {
  progress(phase: 'load' | 'calibrate', fraction: number): void;
}

export interface RunningServer {
  readonly url: string;
  readonly profile: ModelProfile;
  /** For people: `CPU, 1 to 2 threads`. */
  readonly device: string;
  /** No new work; settles when the running answers are out, or after --drain-timeout. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

/** The builder: config -> model -> generation -> door -> port. Rejects with a ServeError that a person can act on. */
export async function startServer(
  config: Config,
  observer: StartObserver,
  system: System = realSystem,
): Promise<RunningServer> {
  const metrics = createMetrics({ compat: config.metricsCompat, version: packageVersion() });
  const telemetry = createTelemetry({
    level: config.logLevel,
    format: config.logFormat,
    logPrompts: config.logPrompts,
    color: process.stdout.isTTY,
    stream: process.stdout,
    now: system.unixMilliseconds,
    onRequest: metrics.requestDone,
  });
  const models = createSingleModel(config.strictModel);
  const cancels = createCancelRegistry({ clock: system.clock });
  const generation = createGenerationService({
    runtimes: models,
    cancels,
    clock: system.clock,
    timers: system.timers,
    drawSeed: system.drawSeed,
    newToolCallId: () => `call_${system.newId().slice(0, 24)}`,
    settings: {
      maxPredictMs: config.maxPredictSeconds * 1000,
      autoHealToolCalls: config.autoHealToolCalls,
      checkToolNames: config.toolNameCheck,
    },
  });
  const responseStore = await openConfiguredStore(config.responseStore, system.unixMilliseconds);
  const app = createApp({
    generation,
    models,
    telemetry,
    clock: system.clock,
    unixSeconds: () => Math.floor(system.unixMilliseconds() / 1000),
    newId: system.newId,
    timers: system.timers,
    cancel: (keys) => cancels.cancel(keys),
    ...(responseStore && { responseStore }),
    settings: doorSettings(config),
  });

  const file = await readModelProfile(config.model[0], {
    chatTemplate: config.chatTemplate,
    chatFormat: config.chatFormat,
    ...(config.alias.length > 0 && { aliases: config.alias }),
  });
  // The port comes first: probes see a server that is loading, and a taken port is found before minutes of loading.
  const listener = await listen(app, {
    host: config.host,
    port: config.port,
    headerTimeoutMs: config.headerTimeout * 1000,
    requestTimeoutMs: config.bodyTimeout * 1000,
  });
  const loading = new AbortController();
  try {
    const running = await loadRuntime(
      file,
      { config, system, telemetry, metrics, tuningMemory: createTuningMemory(tuningPath()) },
      {
        signal: loading.signal,
        progress: observer.progress,
        failed: (error) => telemetry.log('error', 'the engine failed', { error }),
      },
    );
    models.serve(running.runtime);
    telemetry.log('info', 'engine tuned', { ...running.loaded.tuning });
    return {
      url: listener.url,
      profile: running.runtime.profile,
      device: running.runtime.engine.info.device,
      async drain() {
        models.setState('draining');
        await Promise.race([idle(cancels, system), elapsed(system, config.drainTimeout * 1000)]);
      },
      async close() {
        models.setState('draining');
        await listener.close({ force: true });
        await running.dispose();
        metrics.close();
      },
    };
  } catch (error) {
    await listener.close({ force: true });
    throw error;
  }
}

function doorSettings(config: Config): DoorSettings {
  return {
    ...defaultDoorSettings,
    apiKeys: config.apiKey,
    adminToken: config.adminToken,
    corsOrigins: config.corsOrigin,
    allowedHosts: config.allowedHost,
    boundHost: config.host,
    maxBodyBytes: config.maxBodyMb * 1024 * 1024,
    maxJsonDepth: config.maxJsonDepth,
    bodyTimeoutMs: config.bodyTimeout * 1000,
  };
}

function tuningPath(): string {
  return join(homedir(), '.cache', 'serve-model', 'tuning.json');
}

const idlePollMs = 50;

async function idle(cancels: { readonly size: number }, system: System): Promise<void> {
  while (cancels.size > 0) await elapsed(system, idlePollMs);
}

function elapsed({ timers }: System, milliseconds: number): Promise<void> {
  return new Promise((resolve) => timers.after(milliseconds, resolve));
}
