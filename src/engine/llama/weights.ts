import { InsufficientMemoryError, type Llama, type LlamaModel } from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import { decodeThread } from './decode-thread.ts';
import { weighContextsByFormula } from './memory-estimates.ts';
import type { NativeHeadStart } from './native-head-start.ts';
import { firstLine, type GpuChoice, openLlama } from './open-llama.ts';

export interface WeightsOptions {
  readonly path: string;
  /** Layers on the GPU; undefined: as many as fit. */
  readonly gpuLayers: number | undefined;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  /** For the sentence when it does not fit. */
  readonly slots?: number;
  readonly contextSize?: number | undefined;
}

export async function loadWeights(llama: Llama, options: WeightsOptions): Promise<LlamaModel> {
  let loading = true;
  try {
    const model = await decodeThread().lend(() =>
      llama.loadModel({
        modelPath: options.path,
        ...(options.gpuLayers !== undefined && { gpuLayers: options.gpuLayers }),
        loadSignal: options.signal,
        // The library's reports trickle in late: what comes after the load is no progress.
        onLoadProgress: (fraction) => {
          if (loading) options.onProgress(fraction);
        },
      }),
    );
    if (llama.gpu === false) weighContextsByFormula(model);
    return model;
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    if (error instanceof InsufficientMemoryError) throw tooLarge(options, error);
    throw new ServeError(
      'invalid_request',
      `${options.path} could not be loaded: ${firstLine(error)}. Check that the file is complete and of a kind that llama.cpp knows.`,
      {},
      { cause: error },
    );
  } finally {
    loading = false;
  }
}

export function tooLarge({ path, slots, contextSize }: WeightsOptions, cause: unknown): ServeError {
  const context = contextSize === undefined ? '' : ` with a context of ${contextSize} tokens`;
  const many = slots === undefined ? '' : ` and ${slots} slots`;
  return new ServeError(
    'insufficient_memory',
    `${path}${context}${many} does not fit into this machine's memory. Use a smaller quantization, a smaller --ctx-size or a smaller --parallel.`,
    {},
    { cause },
  );
}

/** Weights that begin to load before the program is there that runs on them. */
export interface EarlyWeights {
  /**
   * For one load of this file in this way, which gets the model, or undefined when it has to load it itself: a failure
   * is worded there. The load's signal ends this one too.
   */
  take(options: WeightsOptions): Promise<LlamaModel | undefined>;
  /** Gives the memory back, unless a load has them. */
  discard(): Promise<void>;
}

export function beginWeights({ path, gpu, gpuLayers, headStart }: EarlyOptions): EarlyWeights {
  const ended = new AbortController();
  let fraction = 0;
  let report = (done: number): void => {
    fraction = done;
  };
  const onProgress = (done: number) => report(done);
  /** Undefined when it was taken: the model is not kept alive from here. */
  let loading: Promise<LlamaModel | undefined> | undefined = openLlama({ gpu })
    .then((llama) => loadWeights(llama, { path, gpuLayers, signal: ended.signal, onProgress }))
    .catch(() => undefined)
    // Where node-llama-cpp asked for other weights than those, or for none.
    .finally(() => headStart?.discard());
  const leave = () => {
    const left = loading;
    loading = undefined;
    return left;
  };
  return {
    async take(options) {
      if (options.path !== path || options.gpuLayers !== gpuLayers) return undefined;
      const { signal } = options;
      report = options.onProgress;
      report(fraction);
      const abort = () => ended.abort(signal.reason);
      if (signal.aborted) abort();
      signal.addEventListener('abort', abort, { once: true });
      try {
        return await leave();
      } finally {
        signal.removeEventListener('abort', abort);
      }
    },
    async discard() {
      ended.abort(new ServeError('engine_failure', 'Nobody wants these weights any more.'));
      await (await leave())?.dispose();
    },
  };
}

export interface EarlyOptions extends Pick<WeightsOptions, 'path' | 'gpuLayers'> {
  readonly gpu: GpuChoice;
  /** What the library was opened with: it may have begun the load. */
  readonly headStart?: NativeHeadStart | undefined;
}
