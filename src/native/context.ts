import type { CacheType } from '../contract/model-settings.ts';
import type { AdapterHandle } from './adapter.ts';
import type { Batch } from './batch.ts';
import type { LlamaContextParams } from './functions.ts';
import { Handle } from './handle.ts';
import type { Interrupt } from './interrupt.ts';
import type { NativeLibrary } from './library.ts';
import type { Model } from './model.ts';
import { nullPointer, type Pointer } from './pointer.ts';
import type { RowBatch } from './row-batch.ts';
import type { ThreadPools } from './thread-pools.ts';

/** By ggml_type. */
const cacheTypes: Readonly<Record<CacheType, number>> = {
  f32: 0,
  f16: 1,
  bf16: 30,
  q8_0: 8,
  q5_1: 7,
  q5_0: 6,
  q4_1: 3,
  q4_0: 2,
  iq4_nl: 20,
};

const poolingTypes = { unspecified: -1, none: 0, mean: 1, cls: 2, last: 3, rank: 4 } as const;

export interface ContextParameters {
  /** Tokens per sequence. */
  readonly contextSize: number;
  readonly sequences: number;
  /** Tokens per batch, and per pass over the weights. */
  readonly batchSize: number;
  readonly microBatchSize?: number | undefined;
  /** Outputs of one batch at most: their logits take memory at the first decode. */
  readonly outputs: number;
  readonly threads: number;
  readonly flashAttention: boolean | 'auto';
  readonly keyType?: CacheType | undefined;
  readonly valueType?: CacheType | undefined;
  /** All sequences share one pool of cells: `cells` of them, or as many as they would have apart. */
  readonly unified?: boolean | undefined;
  readonly cells?: number | undefined;
  /** Sliding windows keep all tokens, so that their state can be cut anywhere. */
  readonly fullWindows?: boolean | undefined;
  readonly rope?: RopeParameters | undefined;
  /** Given: vectors come out instead of logits. */
  readonly pooling?: keyof typeof poolingTypes | undefined;
}

/** What the model's own values are replaced by. */
export interface RopeParameters {
  readonly scaling?: 'none' | 'linear' | 'yarn' | undefined;
  readonly frequencyBase?: number | undefined;
  readonly frequencyScale?: number | undefined;
  readonly yarnExtFactor?: number | undefined;
  readonly yarnAttnFactor?: number | undefined;
  readonly yarnBetaFast?: number | undefined;
  readonly yarnBetaSlow?: number | undefined;
  readonly yarnOriginalContext?: number | undefined;
}

const flashAttention = { auto: -1, off: 0, on: 1 } as const;
const ropeScaling = { none: 0, linear: 1, yarn: 2 } as const;

/** How a decode ended. `full`: no free cell, nothing was evaluated. `interrupted`: see Interrupt. */
export type DecodeOutcome = 'done' | 'full' | 'interrupted';

/** llama_decode: 0 done, 1 no cell, 2 aborted, below 0 failed. */
const outcomes: Readonly<Record<number, DecodeOutcome>> = { 0: 'done', 1: 'full', 2: 'interrupted' };

/** One llama_context: the memory of its sequences, and what was computed last. */
export class Context extends Handle {
  readonly model: Model;
  readonly sequences: number;
  readonly batchSize: number;
  readonly outputs: number;
  readonly unified: boolean;
  readonly library: NativeLibrary;
  readonly #microBatchSize: number;
  /** By the place of the native memory: it is the same one until outputs are reserved anew. */
  readonly #logits = new Map<Pointer, Float32Array>();
  #lastBatch: Batch | RowBatch | undefined;
  /** Of what it stands on. */
  readonly #letGo: readonly (() => void)[];
  #letPoolsGo: readonly (() => void)[] = [];
  #letAdaptersGo: readonly (() => void)[] = [];
  #causal: boolean;
  #attached = '';

  private constructor(model: Model, pointer: Pointer, parameters: ContextParameters, interrupt?: Interrupt) {
    super('context', pointer);
    const { library } = model;
    const { functions } = library;
    this.model = model;
    this.#letGo = [model, interrupt].flatMap((handle) => (handle ? [handle.use()] : []));
    this.library = library;
    this.sequences = functions.llama_n_seq_max(pointer);
    this.batchSize = functions.llama_n_batch(pointer);
    this.#microBatchSize = functions.llama_n_ubatch(pointer);
    this.outputs = parameters.outputs;
    this.unified = parameters.unified ?? false;
    this.#causal = parameters.pooling === undefined;
  }

  /** Throws where the library refuses, which mostly means that the memory does not suffice. */
  static create(model: Model, parameters: ContextParameters, interrupt?: Interrupt): Context {
    if (parameters.outputs < parameters.sequences) {
      throw new RangeError(`${parameters.sequences} sequences need as many outputs, not ${parameters.outputs}.`);
    }
    const { functions } = model.library;
    const params: LlamaContextParams = {
      ...functions.llama_context_default_params(),
      ...ropeOf(parameters.rope),
      n_ctx: parameters.cells ?? parameters.contextSize * parameters.sequences,
      n_batch: parameters.batchSize,
      n_ubatch: parameters.microBatchSize ?? parameters.batchSize,
      n_seq_max: parameters.sequences,
      n_outputs_max: parameters.outputs,
      n_threads: parameters.threads,
      n_threads_batch: parameters.threads,
      flash_attn_type: flashAttentionOf(parameters.flashAttention),
      type_k: cacheTypes[parameters.keyType ?? 'f16'],
      type_v: cacheTypes[parameters.valueType ?? 'f16'],
      kv_unified: parameters.unified ?? false,
      swa_full: parameters.fullWindows ?? false,
      no_perf: true,
      embeddings: parameters.pooling !== undefined,
      ...(parameters.pooling && { pooling_type: poolingTypes[parameters.pooling] }),
      ...(interrupt && { abort_callback: interrupt.callback, abort_callback_data: interrupt.pointer }),
    };
    const pointer = functions.llama_init_from_model(model.pointer, params);
    if (pointer === nullPointer) throw new Error('the inference library refused the context');
    return new Context(model, pointer, parameters, interrupt);
  }

  /** Tokens per sequence. */
  get contextSize(): number {
    return this.library.functions.llama_n_ctx_seq(this.pointer);
  }

  /** Threads for steps of one token, and for all others, with a pool for each. */
  useThreads(pools: ThreadPools, single: number, several: number): void {
    const wanted = `${single} ${several}`;
    if (this.#attached === wanted) return;
    const { functions } = this.library;
    const [one, other] = [pools.of(single), pools.of(several)];
    functions.llama_attach_threadpool(this.pointer, one.pointer, other.pointer);
    functions.llama_set_n_threads(this.pointer, single, several);
    this.#attached = wanted;
    for (const letGo of this.#letPoolsGo) letGo();
    this.#letPoolsGo = [one.use(), other.use()];
  }

  /**
   * Evaluates the batch. What the library would end the process for is checked first: throws RangeError. Throws Error when
   * the computation itself fails; the context is then not to be used any more.
   */
  decode(batch: Batch): DecodeOutcome {
    this.#check(batch);
    return this.#decode(batch);
  }

  /** The same with rows in place of tokens. `causal` false: they see each other, and have to fit one pass. */
  decodeRows(batch: RowBatch, causal: boolean): DecodeOutcome {
    this.#checkRows(batch, causal);
    const { llama_set_causal_attn: setCausal } = this.library.functions;
    if (causal) return this.#decode(batch);
    setCausal(this.pointer, false);
    try {
      return this.#decode(batch);
    } finally {
      setCausal(this.pointer, true);
    }
  }

  #decode(batch: Batch | RowBatch): DecodeOutcome {
    this.#lastBatch = batch;
    const code = this.library.functions.llama_decode(this.pointer, batch.struct);
    const outcome = outcomes[code];
    if (outcome === undefined) throw new Error(`llama_decode failed (${code}).`);
    return outcome;
  }

  #check(batch: Batch): void {
    if (batch.size === 0) throw new RangeError('The batch is empty.');
    if (batch.size > this.batchSize)
      throw new RangeError(`${batch.size} tokens are more than a batch (${this.batchSize}).`);
    if (batch.outputs > this.outputs) throw new RangeError(`${batch.outputs} outputs are more than ${this.outputs}.`);
    if (!this.#causal && batch.size > this.#microBatchSize) {
      throw new RangeError(`${batch.size} tokens that see each other do not fit one pass (${this.#microBatchSize}).`);
    }
    batch.assertUsable();
    const { vocabulary } = this.model;
    for (const token of batch.tokens) {
      if (!vocabulary.has(token)) throw new RangeError(`${token} is no token of this model.`);
    }
    for (const sequence of batch.sequences) this.#checkSequence(sequence);
  }

  #checkRows(batch: RowBatch, causal: boolean): void {
    batch.assertUsable();
    if (batch.size === 0) throw new RangeError('The batch is empty.');
    const most = causal ? this.batchSize : Math.min(this.batchSize, this.#microBatchSize);
    if (batch.size > most) throw new RangeError(`${batch.size} rows are more than fit here (${most}).`);
    if (batch.width !== this.model.inputRowSize) {
      throw new RangeError(`Rows of this model have ${this.model.inputRowSize} values, not ${batch.width}.`);
    }
    this.#checkSequence(batch.sequence);
  }

  /** Throws RangeError for a place of the last batch that has no logits. */
  assertOutput(place: number): void {
    if (!this.#lastBatch?.isOutput(place)) throw new RangeError(`Place ${place} of the batch is no output.`);
  }

  /** Of an output of the last batch, by its place; valid until the next decode. */
  logits(place: number): Float32Array {
    this.assertOutput(place);
    const pointer = this.library.functions.llama_get_logits_ith(this.pointer, place);
    let logits = this.#logits.get(pointer);
    if (!logits) {
      // More places than outputs: the library has reserved its memory anew, so the old ones are gone.
      if (this.#logits.size >= 2 * this.outputs) this.#logits.clear();
      logits = new Float32Array(this.library.view(pointer, 4 * this.model.vocabulary.size));
      this.#logits.set(pointer, logits);
    }
    return logits;
  }

  /** The pooled vector of a sequence of the last batch, copied; undefined where there is none. */
  sequenceVector(sequence: number, size: number): Float32Array | undefined {
    const pointer = this.library.functions.llama_get_embeddings_seq(this.pointer, sequence);
    return pointer === nullPointer ? undefined : new Float32Array(this.library.view(pointer, 4 * size)).slice();
  }

  /** Of one token of the last batch, copied. */
  tokenVector(place: number, size: number): Float32Array | undefined {
    const pointer = this.library.functions.llama_get_embeddings_ith(this.pointer, place);
    return pointer === nullPointer ? undefined : new Float32Array(this.library.view(pointer, 4 * size)).slice();
  }

  /** Leaves the positions below `from`. False: this memory cannot be cut there. */
  cut(sequence: number, from: number): boolean {
    this.#checkSequence(sequence);
    return this.library.functions.llama_memory_seq_rm(this.#memory, sequence, from, -1);
  }

  clear(sequence: number): void {
    this.#checkSequence(sequence);
    this.library.functions.llama_memory_seq_rm(this.#memory, sequence, -1, -1);
  }

  /** Zeroes all memory; no sequence holds anything any more. */
  wipe(): void {
    this.library.functions.llama_memory_clear(this.#memory, true);
  }

  /** The last position that it holds; -1: none. */
  lastPosition(sequence: number): number {
    this.#checkSequence(sequence);
    return this.library.functions.llama_memory_seq_pos_max(this.#memory, sequence);
  }

  /** Shares the cells of the first `tokens` positions; only where sequences share one pool. */
  shareBeginning(from: number, to: number, tokens: number): void {
    this.#checkSequence(from);
    this.#checkSequence(to);
    if (!this.unified) throw new Error('Sequences with memory of their own cannot share a beginning.');
    this.clear(to);
    this.library.functions.llama_memory_seq_cp(this.#memory, from, to, 0, tokens);
  }

  /** The state of a sequence, in ordinary memory. `partial`: of windows and recurrent layers alone. */
  saveState(sequence: number, partial = false): Uint8Array {
    this.#checkSequence(sequence);
    const { functions } = this.library;
    const flags = partial ? stateFlags.partial : stateFlags.all;
    const bytes = new Uint8Array(functions.llama_state_seq_get_size_ext(this.pointer, sequence, flags));
    const written = functions.llama_state_seq_get_data_ext(this.pointer, bytes, bytes.length, sequence, flags);
    return bytes.subarray(0, written);
  }

  /** False: refused, the sequence is to be cleared. */
  restoreState(sequence: number, state: Uint8Array, partial = false): boolean {
    this.#checkSequence(sequence);
    const flags = partial ? stateFlags.partial : stateFlags.all;
    const { llama_state_seq_set_data_ext: setState } = this.library.functions;
    return setState(this.pointer, state, state.length, sequence, flags) > 0;
  }

  /** Bytes written. Throws where the library could not write all. */
  writeState(sequence: number, path: string, tokens: readonly number[]): number {
    this.#checkSequence(sequence);
    const { llama_state_seq_save_file: save } = this.library.functions;
    const written = save(this.pointer, path, sequence, Int32Array.from(tokens), tokens.length);
    if (written === 0) throw new Error(`${path} could not be written. Is the disk full?`);
    return written;
  }

  /** The tokens that were written; undefined: refused. Only files that are known whole may be read. */
  readState(sequence: number, path: string): readonly number[] | undefined {
    this.#checkSequence(sequence);
    const tokens = new Int32Array(this.contextSize);
    const count = new BigUint64Array(1);
    const { llama_state_seq_load_file: load } = this.library.functions;
    const read = load(this.pointer, path, sequence, tokens, tokens.length, count);
    return read > 0 ? [...tokens.subarray(0, Number(count[0]))] : undefined;
  }

  /** What the adapters add from now on, in parts of 1; none: the model alone. Reserves anew where they differ. */
  useAdapters(adapters: readonly { readonly adapter: AdapterHandle; readonly scale: number }[]): void {
    const pointers = BigUint64Array.from(adapters, ({ adapter }) => adapter.pointer);
    const scales = Float32Array.from(adapters, ({ scale }) => scale);
    const { llama_set_adapters_lora: set } = this.library.functions;
    if (set(this.pointer, pointers, adapters.length, scales) !== 0) throw new Error('The adapters could not be set.');
    const used = adapters.map(({ adapter }) => adapter.use());
    for (const letGo of this.#letAdaptersGo) letGo();
    this.#letAdaptersGo = used;
  }

  get #memory(): Pointer {
    return this.library.functions.llama_get_memory(this.pointer);
  }

  #checkSequence(sequence: number): void {
    if (!Number.isInteger(sequence) || sequence < 0 || sequence >= this.sequences) {
      throw new RangeError(`There is no sequence ${sequence}.`);
    }
  }

  protected release(pointer: Pointer): void {
    this.#logits.clear();
    this.library.functions.llama_free(pointer);
    for (const letGo of [...this.#letGo, ...this.#letPoolsGo, ...this.#letAdaptersGo]) letGo();
  }
}

/** LLAMA_STATE_SEQ_FLAGS_NONE and _PARTIAL_ONLY. */
const stateFlags = { all: 0, partial: 1 } as const;

function flashAttentionOf(wish: boolean | 'auto'): number {
  if (wish === 'auto') return flashAttention.auto;
  return wish ? flashAttention.on : flashAttention.off;
}

function ropeOf(rope: RopeParameters = {}) {
  const given = {
    rope_scaling_type: rope.scaling && ropeScaling[rope.scaling],
    rope_freq_base: rope.frequencyBase,
    rope_freq_scale: rope.frequencyScale,
    yarn_ext_factor: rope.yarnExtFactor,
    yarn_attn_factor: rope.yarnAttnFactor,
    yarn_beta_fast: rope.yarnBetaFast,
    yarn_beta_slow: rope.yarnBetaSlow,
    yarn_orig_ctx: rope.yarnOriginalContext,
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}
