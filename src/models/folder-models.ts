import type { LocalModelInfo } from '../contract/control.ts';
import { ServeError } from '../contract/errors.ts';
import { bundledModelPath } from './find-model.ts';
import { findLocalModel, localModels, type ReadModels, removeLocalModel } from './library.ts';
import type { ModelManager } from './manager.ts';
import { type FileProfile, readModelProfile } from './profile.ts';

export interface FolderModelsOptions<Runtime> {
  readonly manager: ModelManager<Runtime>;
  readonly modelsDir: string;
  /** false: no model is to see. */
  readonly withProjectors: boolean;
  /** Every model gives embeddings and ranks only. */
  readonly forVectors: boolean;
}

/** The models that lie on this machine, for requests that name them, and for people who look what there is. */
export class FolderModels<Runtime> {
  readonly #options: FolderModelsOptions<Runtime>;
  readonly #read: ReadModels = new Map();
  #bundledProfile: FileProfile | undefined;

  constructor(options: FolderModelsOptions<Runtime>) {
    this.#options = options;
  }

  /** Makes every sound model of the folder known, so that requests may name it. */
  async refresh(): Promise<void> {
    const { manager, forVectors } = this.#options;
    const models = await this.#inFolder();
    const isOnly = (name: string) => models.filter(({ profile }) => profile?.id === name).length === 1;
    for (const { id: place, profile } of models) {
      if (!profile) continue;
      const id = isOnly(profile.id) ? profile.id : place;
      const aliases = id === place ? profile.aliases : [...profile.aliases, place];
      const generates = profile.generates && !forVectors;
      manager.add({ file: { ...profile, id, aliases, generates }, settings: {} }, { atStart: false });
    }
  }

  /** Those of the folder, those that are known from elsewhere, and that of the package. */
  async list(): Promise<readonly LocalModelInfo[]> {
    const { manager } = this.#options;
    const local = (await this.#inFolder()).flatMap(({ id, path, profile }) =>
      profile ? [describeLocal(profile, id, manager.find(path)?.loaded !== undefined, 'folder')] : [],
    );
    const paths = new Set(local.map(({ path }) => path));
    const elsewhere = manager.known().filter(({ profile }) => !paths.has(profile.path));
    const given = elsewhere.map(({ profile, state }) =>
      describeLocal(profile, profile.id, state === 'loaded', profile.path === bundledModelPath ? 'bundled' : 'given'),
    );
    const isBundledKnown = given.some(({ source }) => source === 'bundled');
    return [...given, ...local, ...(isBundledKnown ? [] : await this.#bundled())];
  }

  /** Deletes from the folder. A loaded model must be unloaded first. */
  async remove(id: string): Promise<void> {
    const { manager, modelsDir } = this.#options;
    const local = await findLocalModel(id, modelsDir);
    const resident = local && manager.find(local.path);
    if (resident?.loaded || resident?.isLoading) {
      throw new ServeError('invalid_request', `${id} is loaded. Unload it first: POST /api/inference/unload.`);
    }
    const { path } = await removeLocalModel(id, modelsDir);
    manager.forget(path);
  }

  #inFolder() {
    return localModels(this.#options.modelsDir, this.#read, this.#sight());
  }

  #sight() {
    return this.#options.withProjectors ? {} : ({ projector: false } as const);
  }

  /** The model of the package is there to be loaded whatever the server was started with. */
  async #bundled(): Promise<LocalModelInfo[]> {
    this.#bundledProfile ??= await readModelProfile(bundledModelPath, this.#sight()).catch(() => undefined);
    const profile = this.#bundledProfile;
    return profile ? [describeLocal(profile, profile.id, false, 'bundled')] : [];
  }
}

function describeLocal(
  { path, sizeBytes, quantization, architecture, trainedContextSize }: FileProfile,
  id: string,
  loaded: boolean,
  source: LocalModelInfo['source'],
): LocalModelInfo {
  return { id, path, sizeBytes, quantization, architecture, trainedContextSize, loaded, source };
}
