import { access } from 'node:fs/promises';
import { bundledModelPath, findModel } from './find-model.ts';
import { type HubName, parseHubName } from './hub-name.ts';
import { findLocalModel } from './library.ts';

/** A model on this machine, or one that would have to be downloaded. */
export type ModelLocation =
  | { readonly type: 'local'; readonly path: string }
  | { readonly type: 'hub'; readonly name: HubName };

/** Where names are looked up. */
export interface ModelPlaces {
  readonly modelsDir: string;
  /** Names that the user gave to paths and hub names. */
  readonly namedModels?: Readonly<Record<string, { readonly model: string }>>;
}

/**
 * What a name means: a name that the user gave, a path, then a model of the models folder, then a name on the hub;
 * undefined is the bundled model. Throws ServeError invalid_request when it is none of these.
 */
export async function locateModel(given: string | undefined, places: ModelPlaces): Promise<ModelLocation> {
  if (given === undefined) return { type: 'local', path: bundledModelPath };
  const { modelsDir, namedModels = {} } = places;
  const target = Object.hasOwn(namedModels, given) ? (namedModels[given]?.model ?? given) : given;
  if (await exists(target)) return { type: 'local', path: (await findModel(target)).path };
  const local = await findLocalModel(target, modelsDir);
  if (local) return { type: 'local', path: local.path };
  const name = parseHubName(target);
  return name ? { type: 'hub', name } : { type: 'local', path: (await findModel(target)).path };
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
