import { adapterWishes, type Config, loadWish } from '../config.ts';
import type { GenerationSettings } from '../generation/dependencies.ts';
import type { StartGateSettings } from '../generation/start-gate.ts';
import { type DoorSettings, defaultDoorSettings } from '../http/dependencies.ts';
import type { MediaLimits } from '../media/prepared.ts';
import type { ModelsSettings } from '../models/models.ts';
import type { ReadWish } from '../models/read-wish.ts';

const defaultKeepAliveSeconds = 300;

export function readWish({ alias, chatTemplate, chatFormat, embeddings, mmproj }: Config): ReadWish {
  return { alias, chatTemplate, chatFormat, embeddings, mmproj };
}

export function modelsSettings(config: Config): ModelsSettings {
  const { keepAlive } = config;
  return {
    read: readWish(config),
    modelsDir: config.modelsDir,
    named: config.namedModels,
    hub: { endpoint: config.hfEndpoint, token: config.hfToken },
    devices: loadWish(config).devices,
    adapters: adapterWishes(config),
    wishOf: (own) => loadWish(config, own),
    strict: config.strictModel,
    autoload: config.autoload,
    keepAliveMs: (keepAlive ?? defaultKeepAliveSeconds) * 1000,
    startKeepAliveMs: keepAlive === undefined ? undefined : keepAlive * 1000,
  };
}

export function asksForTools({ toolServers, mcpAllowUrls, tool, webSearchUrl }: Config): boolean {
  return toolServers !== undefined || mcpAllowUrls || tool.length > 0 || webSearchUrl !== undefined;
}

/** Of a model's own queue, and of that before there is a model. */
export function queueSettings({ maxQueue, queueTimeout }: Config, slots: number): StartGateSettings {
  return { maxQueue: maxQueue ?? 16 * slots, queueTimeoutMs: queueTimeout * 1000 };
}

export function generationSettings(config: Config): GenerationSettings {
  return {
    maxPredictMs: config.maxPredictSeconds * 1000,
    autoHealToolCalls: config.autoHealToolCalls,
    checkToolNames: config.toolNameCheck,
    strictTools: config.strictTools,
  };
}

export function mediaLimits({ imageMaxPixels, audioMaxSeconds }: Config): MediaLimits {
  return { image: { mostPixels: imageMaxPixels }, audio: { mostSeconds: audioMaxSeconds } };
}

export function logSettings({ logLevel: level, logFormat: format, logPrompts }: Config) {
  return { level, format, logPrompts };
}

export function metricsSettings({ metricsCompat: compat, metrics }: Config) {
  return { compat, byKey: metrics === 'token' };
}

export function doorSettings(config: Config): DoorSettings {
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
