import { Llama, type LlamaContext, type LlamaLogLevel, type LlamaModel } from 'node-llama-cpp';

/**
 * The part of node-llama-cpp's native bindings that the step loop drives directly.
 *
 * Why not `LlamaContextSequence.evaluate()`: it is one async generator per sequence. Free-running generators leave
 * batches half empty, it copies the whole token list on every token, cannot place two requests' prompt pieces in one
 * batch on purpose, and shifts a full context silently. Driving the context ourselves gives exactly one `llama_decode`
 * per step with exactly the tokens that plan-step chose. The price: these members are internal, so the package version
 * is pinned exactly and `assertBindings` checks at load that each one is there.
 */
export interface NativeContext {
  initBatch(size: number): void;
  /** Returns the batch indexes whose logits can be sampled, one per entry of logitIndexes. */
  addToBatch(sequence: number, firstPosition: number, tokens: Uint32Array, logitIndexes: Uint32Array): Uint32Array;
  decodeBatch(): Promise<void>;
  sampleToken(batchIndex: number, sampler: NativeSampler): Promise<number>;
  sampleToken(
    batchIndex: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: false,
    logits: [tokens: number[], max: false, min: false, selected: false, top: number],
    totalLogitWeight: true,
  ): Promise<[number, undefined, undefined, number[], number]>;
  sampleToken(
    batchIndex: number,
    sampler: NativeSampler,
    probabilities: false,
    confidence: true,
  ): Promise<[token: number, probabilities: undefined, confidence: number]>;
  removeTokenCellsFromSequence(sequence: number, start: number, end: number): boolean;
  getSequenceKvCacheMinPosition(sequence: number): number;
  getSequenceKvCacheMaxPosition(sequence: number): number;
  copySequenceStateFromOtherSequence(target: number, source: number): Promise<number>;
  restoreCheckpoint(checkpoint: NativeCheckpoint, maxPosition: number, sequence: number): Promise<boolean>;
  saveSequenceStateToFile(path: string, sequence: number, tokens: Uint32Array): Promise<number>;
  loadSequenceStateFromFile(path: string, sequence: number, maxContextSize: number): Promise<Uint32Array>;
  setThreads(threads: number): void;
  getStateSize(): number;
}

/** Sequence state in ordinary memory, on every platform. */
export interface NativeCheckpoint {
  init(context: NativeContext, sequence: number): Promise<void>;
  dispose(): void;
  readonly size: number;
  readonly minPos: number;
  readonly maxPos: number;
}

export interface NativeSampler {
  applyConfig(config: NativeSamplerConfig): void;
  dispose(): void;
}

export interface NativeSamplerConfig {
  temperature?: number;
  minP?: number;
  topK?: number;
  topP?: number;
  seed?: number;
  repeatPenalty?: number;
  repeatPenaltyMaxTokens?: number;
  repeatPenaltyTokens?: Uint32Array;
  repeatPenaltyPresencePenalty?: number;
  repeatPenaltyFrequencyPenalty?: number;
  grammarEvaluationState?: NativeGrammarState;
  tokenBiasKeys?: Uint32Array;
  tokenBiasValues?: Float32Array;
}

declare const brand: unique symbol;
export interface NativeGrammar {
  /** Whether the whole text matches the grammar. */
  isTextCompatible(text: string): boolean;
}
export interface NativeGrammarState {
  readonly [brand]: 'grammar state';
}

export interface NativeModel {
  tokenize(text: string, specialTokens: boolean): Uint32Array;
  detokenize(tokens: Uint32Array, specialTokens: boolean): string;
  getTokenString(token: number): string;
  getTokenAttributes(token: number): number;
  isEogToken(token: number): boolean;
  getVocabularyType(): number;
  shouldPrependBosToken(): boolean;
  shouldAppendEosToken(): boolean;
  tokenBos(): number;
  tokenEos(): number;
  prefixToken(): number;
  middleToken(): number;
  suffixToken(): number;
  getTotalParameters(): number;
}

export interface NativeBindings {
  readonly AddonSampler: { new (model: NativeModel): NativeSampler };
  readonly AddonContextSequenceCheckpoint: { new (): NativeCheckpoint };
  readonly AddonGrammar: {
    new (grammar: string, options: { addonExports: NativeBindings; rootRuleName: string }): NativeGrammar;
  };
  readonly AddonGrammarEvaluationState: { new (model: NativeModel, grammar: NativeGrammar): NativeGrammarState };
  readonly AddonJinjaRenderer: { new (template: string): { render(variables: Record<string, unknown>): string } };
}

const contextMembers = [
  'initBatch',
  'addToBatch',
  'decodeBatch',
  'sampleToken',
  'removeTokenCellsFromSequence',
  'copySequenceStateFromOtherSequence',
  'restoreCheckpoint',
  'saveSequenceStateToFile',
  'loadSequenceStateFromFile',
  'setThreads',
] as const satisfies readonly (keyof NativeContext)[];

const bindingMembers = [
  'AddonSampler',
  'AddonContextSequenceCheckpoint',
  'AddonGrammar',
  'AddonGrammarEvaluationState',
  'AddonJinjaRenderer',
] as const satisfies readonly (keyof NativeBindings)[];

/** What node-llama-cpp makes its `Llama` of, once it has found a binary. */
export interface CreateLlamaOptions {
  readonly bindings: unknown;
  readonly bindingPath: string;
  readonly buildType: 'prebuilt';
  readonly buildMetadata: {
    readonly buildOptions: {
      readonly gpu: false;
      readonly customCmakeOptions: ReadonlyMap<string, string>;
      readonly llamaCpp: { readonly repo: string; readonly release: string };
    };
  };
  readonly logLevel: LlamaLogLevel;
  readonly logger: (level: LlamaLogLevel, message: string) => void;
  readonly vramPadding: number;
  /** Bytes that stay free, of as many in all. */
  readonly ramPadding: (total: number) => number;
  readonly tempDir: false;
}

/** What reads the header of a file before its load. */
export interface NativeHeaderParser {
  readonly _fileReader: {
    readonly _buffer: Buffer;
    /** undefined when the bytes are in the buffer already. */
    ensureHasByteRange(offset: number, length: number): Promise<void> | undefined;
  };
  _readGgufValue(type: number, at: HeaderOffset): unknown;
}

export interface HeaderOffset {
  readonly offset: number;
  moveBy(bytes: number): void;
}

/** The casts of this file are the only ones into node-llama-cpp's internals; the checks make them honest. */
export function nativeContext(context: LlamaContext): NativeContext {
  const native = (context as unknown as { _ctx: NativeContext })._ctx;
  assertMembers('context', native, contextMembers);
  return native;
}

export function nativeModel(model: LlamaModel): NativeModel {
  const native = (model as unknown as { _model: NativeModel })._model;
  assertMembers('model', native, ['tokenize', 'detokenize', 'getTokenString', 'getTokenAttributes', 'isEogToken']);
  return native;
}

export function nativeBindings(llama: Llama): NativeBindings {
  const native = (llama as unknown as { _bindings: NativeBindings })._bindings;
  assertMembers('bindings', native, bindingMembers);
  return native;
}

export function createLlama(options: CreateLlamaOptions): Promise<Llama> {
  const library = Llama as unknown as { _create(options: CreateLlamaOptions): Promise<Llama> };
  assertMembers('Llama', library, ['_create']);
  return library._create(options);
}

/** Of the library's own module; undefined when that has become another one. */
export function headerParser(module: unknown): NativeHeaderParser | undefined {
  const parser = (module as { GgufV2Parser?: { prototype?: NativeHeaderParser } } | undefined)?.GgufV2Parser?.prototype;
  return typeof parser?._readGgufValue === 'function' ? parser : undefined;
}

function assertMembers<T extends object>(what: string, native: T | undefined, members: readonly (keyof T)[]): void {
  const missing = members.filter((member) => typeof native?.[member] !== 'function');
  if (missing.length > 0) {
    throw new Error(`node-llama-cpp's ${what} lacks ${missing.join(', ')}: install the exact version of package.json.`);
  }
}
