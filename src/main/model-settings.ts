import type { Config } from '../config.ts';
import type { ModelSettings } from '../contract/control.ts';
import { gpusFor } from './native-library.ts';

/** Models of --models-file with the settings that a load of them takes. */
export function namedSettings({ namedModels }: Config) {
  return Object.fromEntries(
    Object.entries(namedModels).map(([name, { model, ctxSize, parallel, gpuLayers, cacheTypeKv }]) => {
      const settings: ModelSettings = {
        ...(ctxSize && { contextSize: ctxSize }),
        ...(parallel !== undefined && { slots: parallel }),
        ...(gpuLayers !== undefined && { gpuLayers }),
        ...(cacheTypeKv !== undefined && { cacheTypeKv }),
      };
      return [name, { model, settings }];
    }),
  );
}

/** Without a GPU the ids mean nothing. */
function devicesOf(config: Config, ids: readonly number[]): readonly string[] {
  const gpus = gpusFor(config);
  return gpus.length === 0 ? config.device : ids.flatMap((id) => gpus[id]?.name ?? []);
}

/** The server's settings with those of one load over them. */
export function withSettings(config: Config, settings: ModelSettings): Config {
  const { speculation } = settings;
  return {
    ...config,
    ctxSize: settings.contextSize ?? config.ctxSize,
    parallel: settings.slots ?? config.parallel,
    gpuLayers: settings.gpuLayers ?? config.gpuLayers,
    device: settings.gpuIds ? devicesOf(config, settings.gpuIds) : config.device,
    cacheTypeKv: settings.cacheTypeKv ?? config.cacheTypeKv,
    ...(speculation !== undefined && { lookupDecoding: speculation === 'lookup' }),
  };
}
