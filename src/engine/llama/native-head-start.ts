import { dirname, resolve } from 'node:path';
import type { PrebuiltFile } from './prebuilt-file.ts';

/** What node-llama-cpp asks of the bindings' constructor for a plain load on the CPU. */
export interface NativeWeightsOptions {
  readonly gpuLayers: number;
  readonly vocabOnly: boolean;
  readonly useMmap: boolean;
  readonly useDirectIo: boolean;
  readonly useMlock: boolean;
  readonly checkTensors: boolean;
  readonly lazyMode: boolean;
  readonly hasLoadAbortSignal: boolean;
  readonly onLoadProgress?: (fraction: number) => void;
  readonly addonExports?: unknown;
}

interface NativeWeights {
  init(): Promise<boolean>;
  abortActiveModelLoad(): void;
  dispose(): Promise<void>;
}

/** The part of the bindings that weights load through. Levels are llama.cpp's, from 1 (fatal) to 6 (debug). */
export interface WeightsBindings {
  setLogger(hear: NativeHearing): void;
  setLoggerLogLevel(level: number): void;
  loadBackends(folder?: string): void;
  /** Neither a GPU nor `false` before there is any backend. */
  getGpuType(): string | false | undefined | null;
  init(): Promise<void>;
  readonly AddonModel: new (path: string, options: NativeWeightsOptions) => NativeWeights;
}

export type NativeHearing = (level: number, message: string) => void;

const plainly: NativeWeightsOptions = {
  gpuLayers: 0,
  vocabOnly: false,
  useMmap: true,
  useDirectIo: false,
  useMlock: false,
  checkTensors: false,
  lazyMode: false,
  hasLoadAbortSignal: true,
};
const warnings = 3;

/**
 * Weights that the native library loads while JavaScript is still being read: node-llama-cpp's alone takes a third of a
 * second, as long as a small model's load. node-llama-cpp then makes its model of them, as if it had begun the load.
 * The members used here are internal like those in native.ts, so a surprise of any kind means a plain load.
 */
export class NativeHeadStart {
  readonly #native: WeightsBindings;
  readonly #path: string;
  #weights: NativeWeights | undefined;
  #loading: Promise<boolean>;
  #left = false;
  readonly #unheard: Parameters<NativeHearing>[] = [];
  #hear: NativeHearing = (...said) => this.#unheard.push(said);
  #report: (fraction: number) => void = () => undefined;

  /** undefined: the library does not open. */
  static begin(file: PrebuiltFile, path: string): NativeHeadStart | undefined {
    try {
      return new NativeHeadStart(weightsBindings(file.open()), file, path);
    } catch {
      return undefined;
    }
  }

  private constructor(native: WeightsBindings, file: PrebuiltFile, path: string) {
    this.#native = native;
    this.#path = resolve(path);
    native.setLogger((level, message) => this.#hear(level, message));
    native.setLoggerLogLevel(warnings);
    native.loadBackends();
    const backend = native.getGpuType();
    if (backend === undefined || backend === null) native.loadBackends(dirname(file.path));
    this.#loading = this.#load();
    this.#loading.catch(() => undefined);
  }

  async #load(): Promise<boolean> {
    await this.#native.init();
    if (this.#left) return false;
    this.#weights = new this.#native.AddonModel(this.#path, {
      ...plainly,
      addonExports: this.#native,
      onLoadProgress: (fraction) => this.#report(fraction),
    });
    return this.#weights.init();
  }

  /**
   * For node-llama-cpp: the library's bindings, whose first model of this file is the one that is loading. `hear` gets
   * what the library has said, and says before it is given another listener.
   */
  bindings(hear: NativeHearing): WeightsBindings {
    this.#hear = hear;
    for (const said of this.#unheard.splice(0)) hear(...said);
    const construct = (AddonModel: WeightsBindings['AddonModel'], [path, options]: unknown[]) =>
      this.#take(path, options) ?? Reflect.construct(AddonModel, [path, options]);
    return Object.create(this.#native, { AddonModel: { value: new Proxy(this.#native.AddonModel, { construct }) } });
  }

  #take(path: unknown, options: unknown): NativeWeights | undefined {
    const weights = this.#weights;
    if (this.#left || !weights || path !== this.#path || !isPlain(options)) return undefined;
    this.#left = true;
    this.#weights = undefined;
    this.#report = options.onLoadProgress ?? this.#report;
    const loading = this.#loading;
    return Object.defineProperty(weights, 'init', { value: () => loading });
  }

  /** Gives the memory back, unless node-llama-cpp has it. */
  async discard(): Promise<void> {
    if (this.#left) return;
    this.#left = true;
    this.#weights?.abortActiveModelLoad();
    await this.#loading.catch(() => false);
    await this.#weights?.dispose();
  }
}

function isPlain(options: unknown): options is NativeWeightsOptions {
  if (typeof options !== 'object' || options === null || 'overridesList' in options || 'noAlloc' in options)
    return false;
  return Object.entries(plainly).every(([name, value]) => Reflect.get(options, name) === value);
}

function weightsBindings(native: unknown): WeightsBindings {
  const members = ['setLogger', 'setLoggerLogLevel', 'loadBackends', 'getGpuType', 'init', 'AddonModel'];
  if (typeof native !== 'object' || native === null) throw new Error('no bindings');
  if (members.some((name) => typeof Reflect.get(native, name) !== 'function')) throw new Error('other bindings');
  return native as WeightsBindings;
}
