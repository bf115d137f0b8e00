import { availableParallelism } from 'node:os';
import type { Clock } from '../contract/services.ts';
import { tensorTypes } from '../models/gguf-tables.ts';
import { Batch } from '../native/batch.ts';
import { Compute } from '../native/compute.ts';
import { Context } from '../native/context.ts';
import { extraBufferType } from '../native/extra-buffers.ts';
import { Graph } from '../native/graph.ts';
import type { NativeLibrary } from '../native/library.ts';
import { Model } from '../native/model.ts';
import { bytesOfTensor, TensorMemory, Tensors, writeTensor } from '../native/tensors.ts';
import { ThreadPools } from '../native/thread-pools.ts';
import type { Rates } from './estimate.ts';

export interface MeasureOptions {
  readonly clock: Clock;
  /** All together, about. */
  readonly milliseconds: number;
  /** As files name them: Q4_K. */
  readonly formats: readonly string[];
  /** A small model, whose decoding is measured as it is. */
  readonly model: string;
  /** Undefined: the best of some. */
  readonly threads: number | undefined;
  /** Bytes of weights to be read in one pass: more than any cache holds, if there is memory for it. */
  readonly bytes: number;
}

export interface Measurement {
  readonly threads: number;
  readonly cpu: Rates;
  /** Undefined: without a GPU. */
  readonly gpu: Rates | undefined;
  /** Tokens a second of the small model. */
  readonly small: { readonly answer: number; readonly prompt: number };
  /** Bytes of weights that were read in one pass. */
  readonly bytes: number;
}

/** Numbers of a row of the weights. */
const width = 4096;
/** Rows of one matrix. */
const height = 8192;
const promptTokens = 256;
/** Half-precision scales of it are near 1: no infinities, and nothing so small that processors compute it slowly. */
const filling = 0x3c;
const leastPasses = 3;

/**
 * Bytes of weights a second as decoding reads them, and arithmetic as prompts need it, with ggml's own kernels and the
 * threads that serve; and a small model, decoded. Blocks the thread. Throws Error where something cannot be had.
 */
export function measure(library: NativeLibrary, options: MeasureOptions): Measurement {
  const pools = new ThreadPools(library);
  const { clock } = options;
  const [first = 'Q8_0'] = options.formats;
  const cpu = Compute.create(library, { gpu: false, pools, clock });
  const gpu = library.files.gpu === false ? undefined : Compute.create(library, { gpu: true, pools, clock });
  // Each format twice on each, the small model as long as two, and the choice of threads.
  const rounds = 2 * options.formats.length * (gpu ? 2 : 1) + 3;
  const timed = { ...options, milliseconds: options.milliseconds / rounds };
  try {
    const threads = options.threads ?? bestThreads(cpu, { ...timed, format: first });
    const small = measureModel(library, { ...timed, path: options.model, pools, threads });
    const ratesOf = (compute: Compute) => measureRates(compute, threads, timed);
    return { threads, cpu: ratesOf(cpu), gpu: gpu?.onGpu ? ratesOf(gpu) : undefined, small, bytes: options.bytes };
  } finally {
    for (const compute of [cpu, gpu]) compute?.free();
    pools.free();
  }
}

interface Timed {
  readonly clock: Clock;
  readonly milliseconds: number;
}

interface PassOptions extends Timed {
  readonly format: string;
  readonly bytes: number;
}

/** All cores or half of them: two threads of one core share what reads memory. */
function bestThreads(compute: Compute, options: PassOptions): number {
  const cores = availableParallelism();
  const counts = [...new Set([cores, Math.ceil(cores / 2)])];
  const tried = counts.map((threads) => {
    compute.useThreads(threads);
    return { threads, rate: readingRate(compute, { ...options, milliseconds: options.milliseconds / counts.length }) };
  });
  return tried.reduce((best, each) => (each.rate > best.rate ? each : best)).threads;
}

function measureRates(
  compute: Compute,
  threads: number,
  { formats, ...options }: Pick<MeasureOptions, 'formats' | 'bytes' | 'milliseconds' | 'clock'>,
): Rates {
  compute.useThreads(threads);
  const each = (measured: (options: PassOptions) => number) =>
    Object.fromEntries(formats.map((format) => [format, measured({ ...options, format })]));
  return {
    reading: each((pass) => readingRate(compute, pass)),
    prompt: each((pass) => promptRate(compute, pass)),
  };
}

/** One token: every weight is read once. */
function readingRate(compute: Compute, { format, bytes, ...timed }: PassOptions): number {
  return withWeights(compute, { format, bytes, rows: height }, (multiply, size) => {
    return (1000 * size) / medianPass(timed, () => multiply(1));
  });
}

function promptRate(compute: Compute, { format, ...timed }: PassOptions): number {
  return withWeights(compute, { format, bytes: 0, rows: width }, (multiply) => {
    const operations = 2 * width * width * promptTokens;
    return (1000 * operations) / medianPass(timed, () => multiply(promptTokens));
  });
}

type Multiply = (tokens: number) => void;

/** Matrices of the format, of so many bytes together, one at least. */
function withWeights<Result>(
  compute: Compute,
  { format, bytes, rows }: { readonly format: string; readonly bytes: number; readonly rows: number },
  work: (multiply: Multiply, size: number) => Result,
): Result {
  const { library } = compute;
  const type = Number(Object.entries(tensorTypes).find(([, { name }]) => name === format)?.[0]);
  const one = library.functions.ggml_row_size(type, width) * rows;
  const count = Math.max(1, Math.ceil(bytes / one));
  const space = new Tensors(library, count + 1);
  const weights = Array.from({ length: count }, () => space.create(type, [width, rows]));
  // As a model would be loaded: on the processor in the order that its products are quickest in.
  const reordered = compute.onGpu ? undefined : extraBufferType(library, { type, width, height: rows });
  const memory = new TensorMemory(space, reordered ?? compute.bufferType);
  try {
    const content = new Uint8Array(one).fill(filling);
    for (const tensor of weights) writeTensor(library, tensor, content);
    const size = weights.reduce((sum, tensor) => sum + bytesOfTensor(library, tensor), 0);
    const multiply = (tokens: number) => {
      const graph = new Graph(library, 4 * count + 16);
      try {
        const input = graph.input(new Float32Array(width * tokens).fill(1), [width, tokens]);
        compute.run(
          graph,
          weights.map((tensor) => graph.multiply(tensor, input)),
        );
      } finally {
        graph.free();
      }
    };
    return work(multiply, size);
  } finally {
    memory.free();
    space.free();
  }
}

/** Milliseconds. The first pass, which finds nothing where it will be, does not count. */
function medianPass({ clock, milliseconds }: Timed, pass: () => void): number {
  pass();
  const times: number[] = [];
  const end = clock() + milliseconds;
  while (times.length < leastPasses || clock() < end) {
    const start = clock();
    pass();
    times.push(clock() - start);
  }
  return times.toSorted((one, other) => one - other)[Math.floor(times.length / 2)] ?? Number.NaN;
}

interface ModelOptions extends Timed {
  readonly path: string;
  readonly pools: ThreadPools;
  readonly threads: number;
}

/** Tokens a second that a real model decodes and reads, on the processor. */
function measureModel(library: NativeLibrary, { path, pools, threads, ...timed }: ModelOptions) {
  const model = Model.load(library, path, { gpuLayers: 0 });
  const context = Context.create(model, {
    ...{ contextSize: 2048, sequences: 1, batchSize: promptTokens, outputs: 1 },
    ...{ threads, flashAttention: true },
  });
  const batch = new Batch(library, promptTokens);
  try {
    context.useThreads(pools, threads, threads);
    const decode = (tokens: number) => () => {
      context.clear(0);
      batch.clear();
      for (let at = 0; at < tokens; at++) batch.add(1 + (at % 200), at, 0, at === tokens - 1);
      context.decode(batch);
    };
    const prompt = (1000 * promptTokens) / medianPass(timed, decode(promptTokens));
    return { prompt, answer: 1000 / medianPass(timed, decode(1)) };
  } finally {
    batch.free();
    context.free();
    model.free();
  }
}
