import { gpusOf } from './devices.ts';
import type { LlamaModelParams } from './functions.ts';
import { Handle } from './handle.ts';
import type { NativeLibrary } from './library.ts';
import { progressCallback } from './memory.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { Positions } from './row-batch.ts';
import { Vocabulary } from './vocabulary.ts';

export interface ModelParameters {
  /** -1: all. */
  readonly gpuLayers: number;
  /** Default 'map'. */
  readonly loading?: 'map' | 'read' | undefined;
  /** Kept in RAM, never swapped. */
  readonly locked?: boolean | undefined;
  readonly vocabularyOnly?: boolean | undefined;
  /** Structure without weights, for trying a file out. */
  readonly withoutWeights?: boolean | undefined;
  /** Device names as the library lists them; undefined: all. */
  readonly devices?: readonly string[] | undefined;
  readonly splitMode?: 'none' | 'layer' | 'row' | undefined;
  readonly mainGpu?: number | undefined;
  /** Shares of the devices, in their order. */
  readonly tensorSplit?: readonly number[] | undefined;
  /** Tensors whose name fits the pattern (std::regex) lie in this buffer: 'CPU' or a device's name. */
  readonly tensorPlaces?: readonly { readonly pattern: string; readonly place: string }[] | undefined;
}

const splitModes = { none: 0, layer: 1, row: 2 } as const;
/** llama_load_mode. */
const loadMode = { read: 0, map: 1, locked: 2, mapLocked: 3 } as const;

/** What a model is, as the library says. */
export interface ModelFacts {
  readonly trainedContextSize: number;
  readonly embeddingSize: number;
  /** Of one input row; larger than `embeddingSize` where a row holds several embeddings. */
  readonly inputRowSize: number;
  /** Of one output vector. */
  readonly vectorSize: number;
  readonly layers: number;
  readonly parameters: number;
  /** Bytes of all tensors. */
  readonly size: number;
  readonly recurrent: boolean;
  readonly hybrid: boolean;
  /** Tokens of the sliding window; 0: none. */
  readonly windowSize: number;
  /** Classes of the ranking head. */
  readonly rankingClasses: number;
  readonly hasEncoder: boolean;
  readonly hasDecoder: boolean;
}

/** LLAMA_ROPE_TYPE_MROPE and _IMROPE. */
const gridRopes: readonly number[] = [8, 40];

/** Loaded weights with their vocabulary. */
export class Model extends Handle {
  readonly library: NativeLibrary;
  readonly vocabulary: Vocabulary;
  /** Some of its layers are computed by a GPU. */
  readonly onGpu: boolean;

  private constructor(library: NativeLibrary, pointer: Pointer, onGpu: boolean) {
    super('model', pointer);
    this.library = library;
    this.onGpu = onGpu;
    this.vocabulary = new Vocabulary(library, this);
  }

  /**
   * Takes as long as the file is large: for a thread that has nothing else to do. `onProgress` (0 to 1) is called within
   * the call, on this thread; false ends the load, which then throws like any other failure.
   */
  static load(
    library: NativeLibrary,
    path: string,
    parameters: ModelParameters,
    onProgress: (fraction: number) => boolean = () => true,
  ): Model {
    const { functions } = library;
    const kept: ArrayBufferView[] = [];
    const progress = progressCallback(onProgress);
    try {
      const params: LlamaModelParams = {
        ...functions.llama_model_default_params(),
        ...placement(library, parameters, kept),
        n_gpu_layers: parameters.gpuLayers,
        load_mode: loadModeOf(parameters),
        vocab_only: parameters.vocabularyOnly ?? false,
        no_alloc: parameters.withoutWeights ?? false,
        progress_callback: progress.pointer,
      };
      const pointer = functions.llama_model_load_from_file(path, params);
      if (pointer === nullPointer) throw new Error('the inference library refused the file');
      return new Model(library, pointer, parameters.gpuLayers !== 0 && gpusOf(library).length > 0);
    } finally {
      progress.release();
    }
  }

  facts(): ModelFacts {
    const { functions } = this.library;
    const model = this.pointer;
    return {
      trainedContextSize: functions.llama_model_n_ctx_train(model),
      embeddingSize: functions.llama_model_n_embd(model),
      inputRowSize: functions.llama_model_n_embd_inp(model),
      vectorSize: functions.llama_model_n_embd_out(model),
      layers: functions.llama_model_n_layer(model),
      parameters: functions.llama_model_n_params(model),
      size: functions.llama_model_size(model),
      recurrent: functions.llama_model_is_recurrent(model),
      hybrid: functions.llama_model_is_hybrid(model),
      windowSize: functions.llama_model_n_swa(model),
      rankingClasses: functions.llama_model_n_cls_out(model),
      hasEncoder: functions.llama_model_has_encoder(model),
      hasDecoder: functions.llama_model_has_decoder(model),
    };
  }

  /** See ModelFacts. */
  get inputRowSize(): number {
    return this.library.functions.llama_model_n_embd_inp(this.pointer);
  }

  /** Positions are on a grid: an image's rows share their time, and what comes after stands after its larger side. */
  get positions(): Positions {
    const type = this.library.functions.llama_model_rope_type(this.pointer);
    return gridRopes.includes(type) ? 'grid' : 'line';
  }

  /** A value of the file's header as text; undefined where it has none or a list. */
  metadata(key: string): string | undefined {
    const buffer = new Uint8Array(256);
    const length = this.library.functions.llama_model_meta_val_str(this.pointer, key, buffer, buffer.length);
    return length < 0
      ? undefined
      : Buffer.from(buffer.subarray(0, Math.min(length, buffer.length - 1))).toString('utf8');
  }

  protected release(pointer: Pointer): void {
    this.library.functions.llama_model_free(pointer);
  }
}

function loadModeOf({ loading = 'map', locked = false }: ModelParameters): number {
  if (loading === 'map') return locked ? loadMode.mapLocked : loadMode.map;
  return locked ? loadMode.locked : loadMode.read;
}

/** Where the tensors go. What the library reads while it loads is put into `kept`. */
function placement(library: NativeLibrary, parameters: ModelParameters, kept: ArrayBufferView[]) {
  const { devices, splitMode, mainGpu, tensorSplit, tensorPlaces = [] } = parameters;
  const keep = <View extends ArrayBufferView>(view: View): Pointer => {
    kept.push(view);
    return library.address(view);
  };
  return {
    ...(devices && { devices: keep(pointerList(devices.map((name) => deviceNamed(library, name)))) }),
    ...(splitMode && { split_mode: splitModes[splitMode] }),
    ...(mainGpu !== undefined && { main_gpu: mainGpu }),
    ...(tensorSplit && { tensor_split: keep(splitOf(library, tensorSplit)) }),
    ...(tensorPlaces.length > 0 && {
      tensor_buft_overrides: keep(
        pointerList(
          tensorPlaces.flatMap(({ pattern, place }) => [
            keep(Buffer.from(`${pattern}\0`, 'utf8')),
            bufferTypeNamed(library, place),
          ]),
          2,
        ),
      ),
    }),
  };
}

/** With a null of `nulls` pointers after it. */
function pointerList(pointers: readonly Pointer[], nulls = 1): BigUint64Array {
  return BigUint64Array.from([...pointers, ...Array<bigint>(nulls).fill(0n)]);
}

function splitOf(library: NativeLibrary, shares: readonly number[]): Float32Array {
  const most = library.functions.llama_max_devices();
  if (shares.length > most) throw new RangeError(`A tensor split has at most ${most} shares.`);
  const all = new Float32Array(most);
  all.set(shares);
  return all;
}

export function deviceNamed(library: NativeLibrary, name: string): Pointer {
  const device = library.functions.ggml_backend_dev_by_name(name);
  if (device === nullPointer) throw new Error(`there is no device ${name}`);
  return device;
}

function bufferTypeNamed(library: NativeLibrary, place: string): Pointer {
  return library.functions.ggml_backend_dev_buffer_type(deviceNamed(library, place));
}
