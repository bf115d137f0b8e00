import { readdir, realpath, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { findModel, kindsIn, modelName, modelsIn } from './find-model.ts';
import { parseHubName, quantizationOf } from './hub-name.ts';
import { type FileProfile, type ProfileOptions, readModelProfile } from './profile.ts';

/** A model in the models folder. */
export interface LocalModel {
  /** Its path inside the folder without .gguf and part numbers: `owner/repo/file`. */
  readonly id: string;
  readonly path: string;
  /** undefined when the file is no sound model: `problem` says why. */
  readonly profile: FileProfile | undefined;
  readonly problem: string | undefined;
}

/** Sound models by path, size and time of their first file, so that headers of many megabytes are read once. */
export type ReadModels = Map<string, LocalModel>;

/** All models in the models folder, by id. A folder that does not exist holds none. `read` remembers for the next time. */
export async function localModels(
  modelsDir: string,
  read: ReadModels = new Map(),
  { lookInto = kindsIn, ...options }: Pick<ProfileOptions, 'projector' | 'lookInto'> = {},
): Promise<LocalModel[]> {
  const folders = await foldersIn(modelsDir);
  const paths = (await Promise.all(folders.map(modelsIn))).flat();
  const each = { ...options, lookInto: once(lookInto) };
  const models = await Promise.all(
    paths.map(async (path) => {
      const key = await fingerprintOf(path);
      const model = read.get(key) ?? (await describe(path, modelsDir, each));
      if (model.profile) read.set(key, model);
      return model;
    }),
  );
  return models.sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** All models of a folder have the same files beside them: one look for all, or a hundred files would be opened ten thousand times. */
function once(lookInto: typeof kindsIn): typeof kindsIn {
  const known = new Map<string, ReturnType<typeof kindsIn>>();
  return (folder) => {
    const files = known.get(folder) ?? lookInto(folder);
    known.set(folder, files);
    return files;
  };
}

/**
 * The local model that a name means: its id, the end of its id (`file`, `repo/file`), or a hub name that was
 * downloaded. undefined when there is none; ServeError invalid_request when several are meant.
 */
export async function findLocalModel(name: string, modelsDir: string): Promise<LocalModel | undefined> {
  const models = await localModels(modelsDir);
  const spelled = printable(name);
  const exact = models.find((model) => model.id === spelled);
  if (exact) return exact;
  const wanted = spelled.replace(/\.gguf$/i, '');
  const meant = models.filter(
    (model) => model.id === wanted || model.id.endsWith(`/${wanted}`) || isOfHub(name, model),
  );
  if (meant.length <= 1) return meant[0];
  const ids = meant.map((model) => model.id).join(', ');
  throw new ServeError('invalid_request', `${name} may mean ${ids}. Give one of these names.`, { param: name });
}

/** Deletes all parts of a model and the folders that become empty. Nothing outside the models folder is touched. */
export async function removeLocalModel(name: string, modelsDir: string): Promise<LocalModel> {
  const model = await findLocalModel(name, modelsDir);
  if (!model) {
    throw new ServeError('model_not_found', `There is no model ${name} in ${modelsDir}. serve-model list shows them.`);
  }
  await refuseLinked(model, modelsDir);
  const parts = await findModel(model.path).then(
    (found) => found.parts,
    () => [model.path],
  );
  for (const part of parts) await rm(part, { force: true });
  await removeEmpty(dirname(model.path), resolve(modelsDir));
  return model;
}

/** A linked file is a link of this folder's own; what lies in a linked folder is another's. */
async function refuseLinked({ id, path }: LocalModel, modelsDir: string): Promise<void> {
  const [folder, root] = await Promise.all([realpath(dirname(path)), realpath(modelsDir)]);
  if (folder === root || folder.startsWith(root + sep)) return;
  throw new ServeError(
    'invalid_request',
    `${id} lies in ${folder}, which is only linked into the models folder. Delete it there.`,
    { param: id },
  );
}

async function describe(path: string, modelsDir: string, options: ProfileOptions): Promise<LocalModel> {
  const place = join(dirname(relative(modelsDir, path)), modelName(path));
  const id = printable(place.split(sep).join('/'));
  try {
    return { id, path, profile: await readModelProfile(path, options), problem: undefined };
  } catch (error) {
    return { id, path, profile: undefined, problem: error instanceof Error ? error.message : String(error) };
  }
}

async function fingerprintOf(path: string): Promise<string> {
  const found = await stat(path).catch(() => undefined);
  return `${path} ${found?.size} ${found?.mtimeMs}`;
}

function isOfHub(name: string, model: LocalModel): boolean {
  const hub = parseHubName(name);
  if (!hub) return false;
  const inRepo = model.id.startsWith(`${hub.owner}/${hub.repo}/`);
  if (hub.file !== undefined) return inRepo && model.id.endsWith(`/${modelName(hub.file)}`);
  return inRepo && (hub.quantization === undefined || quantizationOf(model.path) === hub.quantization.toUpperCase());
}

/** The folder and all below it, each once, then linked ones; hidden ones (downloads under way) left out. */
async function foldersIn(root: string): Promise<string[]> {
  const folders: string[] = [];
  const seen = new Set<string>();
  const starts = [root];
  const walk = async (folder: string): Promise<void> => {
    const real = await realpath(folder).catch(() => undefined);
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
    if (real === undefined || !entries || seen.has(real)) return;
    seen.add(real);
    folders.push(folder);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.name.startsWith('.')) continue;
      if (entry.isDirectory()) await walk(join(folder, entry.name));
      else if (entry.isSymbolicLink()) starts.push(join(folder, entry.name));
    }
  };
  // It grows meanwhile: what lies here goes by its own name, not by that of a link to it.
  for (const start of starts) await walk(start);
  return folders;
}

async function removeEmpty(folder: string, root: string): Promise<void> {
  if (resolve(folder) === root || !resolve(folder).startsWith(root + sep)) return;
  const removed = await rmdir(folder).then(
    () => true,
    () => false,
  );
  if (removed) await removeEmpty(dirname(folder), root);
}
