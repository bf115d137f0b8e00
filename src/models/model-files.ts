import type { LoadProgress, LoadRequest } from '../contract/control.ts';
import { ServeError } from '../contract/errors.ts';
import type { ModelSettings } from '../contract/model-settings.ts';
import { chooseQuantization, type MachineMemory, rateQuantizations } from './choose-quantization.ts';
import { type DownloadProgress, downloadBytes, downloadModel } from './download.ts';
import { askedModel, type HubAccess, type HubModel, listHubModels } from './hub.ts';
import { type HubName, showHubName } from './hub-name.ts';
import { locateModel, type ModelLocation } from './locate.ts';
import type { MemoryShape } from './memory.ts';
import { type FileProfile, type ProfileOptions, readModelProfile } from './profile.ts';
import { weighHubModels } from './weigh-hub-models.ts';

export interface ModelFilesOptions {
  readonly modelsDir: string;
  /** Names that the user gave, with how to load them. */
  readonly named: Readonly<Record<string, { readonly model: string; readonly settings: ModelSettings }>>;
  readonly hub: { readonly endpoint: string; readonly token: string | undefined };
  /** Throws when the file would make the library crash. */
  readonly crashTest: (path: string, signal: AbortSignal) => Promise<void>;
  readonly machineMemory: () => Promise<MachineMemory>;
  /** false: models are downloaded and read without what lets them see. */
  readonly withProjectors: boolean;
  /** What a load with these settings takes; 0 tokens: as much as fits. */
  readonly shapeOf: (settings: ModelSettings) => MemoryShape;
  readonly onDownload: (progress: LoadProgress) => void;
  /** For the log. */
  readonly tell: (sentence: string) => void;
}

/** Who asks, and with which rights. */
export type FileRequest = Pick<LoadRequest, 'anyPath' | 'hubToken' | 'settings'>;

/**
 * The one way in for model files that requests and flags name, whatever they are for: the folder rule first, then the
 * download, our own reader (a regular file, sound, of the right kind), and a trial in a child process.
 */
export class ModelFiles {
  readonly #options: ModelFilesOptions;
  #download: LoadProgress | undefined;

  constructor(options: ModelFilesOptions) {
    this.#options = options;
  }

  /** Of the download under way. */
  get download(): LoadProgress | undefined {
    return this.#download;
  }

  /** Throws forbidden for what lies elsewhere than the request may name, without looking whether it is there. */
  locate(target: string, { anyPath }: Pick<LoadRequest, 'anyPath'>): Promise<ModelLocation> {
    const { modelsDir, named } = this.#options;
    return locateModel(target, { modelsDir, namedModels: named, folderOnly: !anyPath });
  }

  /** The path of what a name means, downloaded when it lies on the hub. */
  async obtain(target: string, request: FileRequest, signal: AbortSignal): Promise<string> {
    const location = await this.locate(target, request);
    return location.type === 'hub' ? this.#pull(location.name, request, signal) : location.path;
  }

  /** Read and tried: the library can be given this file. */
  async admit(path: string, signal: AbortSignal, options: ProfileOptions = {}): Promise<FileProfile> {
    const blind = this.#options.withProjectors ? {} : { projector: false as const };
    const file = await readModelProfile(path, { ...options, ...blind });
    await this.#options.crashTest(file.path, signal);
    return file;
  }

  /** What a model on the hub takes, as the request would load it. */
  async weighOnHub(name: HubName, request: FileRequest, signal: AbortSignal) {
    const access = this.#access(request, signal);
    const model = await this.#choose(name, request, access);
    const neededFor = await this.#weigh([model], request, access);
    return { sizeBytes: model.bytes, requiredBytes: neededFor(model) };
  }

  async #pull(name: HubName, request: FileRequest, signal: AbortSignal): Promise<string> {
    const { modelsDir, withProjectors: withProjector } = this.#options;
    const access = this.#access(request, signal);
    const model = await this.#choose(name, request, access);
    return this.following(name, (onProgress) => {
      onProgress({ bytes: 0, totalBytes: downloadBytes(model, withProjector), etaSeconds: undefined });
      return downloadModel(model, { ...access, modelsDir, withProjector, onProgress });
    });
  }

  /** Runs a download, by whomever, that is told of as the one under way. */
  async following<T>(name: HubName, download: (onProgress: (now: DownloadProgress) => void) => Promise<T>): Promise<T> {
    const model = showHubName(name);
    try {
      return await download(({ bytes, totalBytes, etaSeconds }) => {
        const fraction = totalBytes === 0 ? 0 : bytes / totalBytes;
        this.#download = { model, phase: 'download', bytesLoaded: bytes, bytesTotal: totalBytes, fraction, etaSeconds };
        this.#options.onDownload(this.#download);
      });
    } finally {
      this.#download = undefined;
    }
  }

  async #choose(name: HubName, request: FileRequest, access: HubAccess): Promise<HubModel> {
    const models = await listHubModels(name, access);
    const asked = askedModel(name, models);
    if (asked) return asked;
    const neededFor = await this.#weigh(models, request, access);
    const model = chooseQuantization(rateQuantizations(models, await this.#options.machineMemory(), neededFor));
    if (model) return model;
    throw new ServeError(
      'insufficient_memory',
      `No file of ${showHubName(name)} fits this machine. Take a smaller model.`,
    );
  }

  #weigh(models: readonly HubModel[], { settings }: FileRequest, access: HubAccess) {
    const { shapeOf, tell } = this.#options;
    return weighHubModels(models, { access, shape: shapeOf(settings), tell });
  }

  #access({ hubToken }: FileRequest, signal: AbortSignal): HubAccess {
    const { endpoint, token } = this.#options.hub;
    return { endpoint, token: hubToken ?? token, signal };
  }
}
