import { access } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { ServeError } from '../contract/errors.ts';
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
  /** Nothing outside the models folder is even looked for, but what the user gave a name. */
  readonly folderOnly?: boolean;
}

/**
 * What a name means: a name that the user gave, a path, then a model of the models folder, then a name on the hub;
 * undefined is the bundled model. Throws ServeError invalid_request when it is none of these, and forbidden for what lies
 * outside the folder where only that is allowed.
 */
export async function locateModel(given: string | undefined, places: ModelPlaces): Promise<ModelLocation> {
  if (given === undefined) return { type: 'local', path: bundledModelPath };
  const { modelsDir, namedModels = {} } = places;
  const isNamed = Object.hasOwn(namedModels, given);
  const target = isNamed ? (namedModels[given]?.model ?? given) : given;
  const mayLook = isNamed || !places.folderOnly || isInside(target, modelsDir);
  // As it was judged: behind a link, the system's `..` is another folder than the one that the path names.
  const path = isNamed || !places.folderOnly ? target : resolve(target);
  if (mayLook && (await exists(path))) return { type: 'local', path: (await findModel(path)).path };
  const local = await findLocalModel(target, modelsDir);
  if (local) return { type: 'local', path: local.path };
  const name = parseHubName(target);
  if (name) return { type: 'hub', name };
  if (mayLook) return { type: 'local', path: (await findModel(path)).path };
  throw new ServeError(
    'forbidden',
    'Only models in the models folder can be loaded from here. Use the admin token, or ask from the machine itself.',
  );
}

/** By the names alone: a link in the folder is the owner's own doing. */
function isInside(path: string, folder: string): boolean {
  const way = relative(resolve(folder), resolve(path));
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

export function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
