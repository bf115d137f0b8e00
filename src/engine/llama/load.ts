import { createHash } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import type { Llama, LlamaContext, LlamaModel } from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import type { VocabularyFacts } from '../../contract/model.ts';
import type { Clock } from '../../contract/services.ts';
import type { Embedder, Ranker } from '../embedder.ts';
import type { Engine } from '../engine.ts';
import { decodeThread } from './decode-thread.ts';
import { DraftDesk } from './draft-guesser.ts';
import { createLlamaEmbedder } from './embedding.ts';
import { createLlamaRanker } from './embedding-ranking.ts';
import { createLlamaEngine, type LlamaEngine, vocabularySizeOf } from './llama-engine.ts';
import { nativeBindings, nativeContext, nativeModel } from './native.ts';
import { type GpuChoice, type NativeLog, openLlama } from './open-llama.ts';
import type { SoundLibraries } from './prebuilt-library.ts';
import { lookupGuessers, type Speculation } from './speculation.ts';
import { stateFingerprint } from './state-files.ts';
import type { StepReport } from './step-loop.ts';
import { controlTexts } from './token-text.ts';
import { createTunedContext, type Tuning, type TuningMemory } from './tune.ts';
import { type EarlyWeights, loadWeights, tooLarge } from './weights.ts';

export interface LoadOptions {
  readonly path: string;
  readonly gpu: GpuChoice;
  /** Layers on the GPU; undefined: as many as fit. */
  readonly gpuLayers: number | undefined;
  /** Tokens per slot; undefined: as large as fits, up to the trained context. */
  readonly contextSize: number | undefined;
  readonly slots: number;
  /** Instead of the two above where there is no GPU; or why the model does not fit there. */
  readonly onProcessor?: { readonly contextSize: number; readonly slots: number } | { readonly tooLarge: string };
  readonly batchSize: number | undefined;
  /** undefined: calibrated or the engine's choice. */
  readonly threads: number | undefined;
  readonly flashAttention: boolean | undefined;
  /** Number format of the context memory, as ggml names it in lower case; default f16. */
  readonly cacheType?: 'f32' | 'f16' | 'q8_0' | 'q5_1' | 'q5_0' | 'q4_1' | 'q4_0';
  /** Speculative decoding by a small model of the same vocabulary, or by looking the text up in the prompt. */
  readonly speculation?: { readonly draftModelPath: string } | 'lookup';
  readonly stepTargetMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** 0 to 1. */
  readonly onProgress: (fraction: number) => void;
  readonly onStep?: (report: StepReport) => void;
  readonly onFailure: (error: unknown) => void;
  /** Remembers calibrations between starts. */
  readonly tuningMemory?: TuningMemory;
  readonly onCalibrate?: () => void;
  readonly onNativeLog?: NativeLog;
  /** For the library, when this load is what opens it. */
  readonly sound?: SoundLibraries;
  /** Of this file, perhaps; they began to load when the program started. */
  readonly early?: EarlyWeights;
}

/** A loaded model, whichever process it is in. */
export interface LoadedEngine {
  readonly engine: Engine;
  readonly vocabulary: VocabularyFacts;
  readonly trainedContextSize: number;
  readonly embeddingSize: number;
  readonly parameters: number | undefined;
  /** llama.cpp's own Jinja engine, compiled once per template. */
  readonly compileTemplate: CompileTemplate;
  readonly tuning: Tuning;
  /** Bytes that the GPUs have left; undefined without one. */
  readonly freeDeviceBytes: () => Promise<number | undefined>;
  /** Its vectors; the contexts for them are made on first use. To be disposed before the engine. */
  readonly openVectors: () => { readonly embedder: Embedder; readonly ranker: Ranker | undefined };
}

export type CompileTemplate = (template: string) => (variables: Record<string, unknown>) => string;

/** In this process. */
export interface LoadedModel extends LoadedEngine {
  readonly engine: LlamaEngine;
  readonly model: LlamaModel;
}

const smallestContext = 256;
const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve));
const pause = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

export async function loadModel(asked: LoadOptions): Promise<LoadedModel> {
  const llama = await openLlama(asked);
  const options = { ...asked, ...(llama.gpu === false && shapeOnProcessor(asked)) };
  const model = (await options.early?.take(options)) ?? (await loadWeights(llama, options));
  try {
    const { context, tuning } = await createTunedContext({
      llama,
      model,
      createContext: (flashAttention, small) => createContext(model, options, flashAttention, small),
      threads: options.threads,
      // llama.cpp reads quantized values with flash attention only.
      flashAttention: options.cacheType?.startsWith('q') ? true : options.flashAttention,
      memory: options.tuningMemory,
      // By what was asked for: how much memory there is just now must not make a start measure again.
      key: tuningKey(llama, model, asked),
      clock: options.clock,
      pause,
      onCalibrate: () => options.onCalibrate?.(),
    });
    const engine = createLlamaEngine({
      model,
      context,
      device: await deviceName(llama, tuning),
      tuning,
      speculation: await openGuessers(llama, context, tuning, options),
      clock: options.clock,
      stepTargetMs: options.stepTargetMs,
      fingerprint: await stateFingerprint(options.path, [
        llama.llamaCppRelease.release,
        context.contextSize,
        tuning.flashAttention,
      ]),
      yieldToEventLoop,
      onFailure: options.onFailure,
      ...(options.onStep && { onStep: options.onStep }),
    });
    return {
      engine,
      model,
      tuning,
      vocabulary: vocabularyFacts(model),
      trainedContextSize: model.trainContextSize,
      embeddingSize: model.embeddingVectorSize,
      parameters: nativeModel(model).getTotalParameters() || undefined,
      compileTemplate: templateCompiler(llama),
      freeDeviceBytes: async () => (llama.gpu ? (await llama.getVramState()).free : undefined),
      openVectors: () => ({ embedder: createLlamaEmbedder(model), ranker: createLlamaRanker(model) }),
    };
  } catch (error) {
    await model.dispose();
    throw error;
  }
}

function shapeOnProcessor({ onProcessor }: LoadOptions) {
  if (onProcessor && 'tooLarge' in onProcessor) throw new ServeError('insufficient_memory', onProcessor.tooLarge);
  return onProcessor;
}

export function templateCompiler(llama: Llama): CompileTemplate {
  const { AddonJinjaRenderer } = nativeBindings(llama);
  return (template) => {
    const renderer = new AddonJinjaRenderer(template);
    return (variables) => renderer.render(variables);
  };
}

const ggmlNames = {
  f32: 'F32',
  f16: 'F16',
  q8_0: 'Q8_0',
  q5_1: 'Q5_1',
  q5_0: 'Q5_0',
  q4_1: 'Q4_1',
  q4_0: 'Q4_0',
} as const;

function cacheTypes({ cacheType }: LoadOptions) {
  if (cacheType === undefined) return {};
  return { experimentalKvCacheKeyType: ggmlNames[cacheType], experimentalKvCacheValueType: ggmlNames[cacheType] };
}

async function createContext(
  model: LlamaModel,
  options: LoadOptions,
  flashAttention: boolean | 'auto',
  small?: { contextSize: number },
): Promise<LlamaContext> {
  try {
    return await decodeThread().lend(() =>
      model.createContext({
        sequences: small ? 1 : options.slots,
        contextSize: small?.contextSize ?? options.contextSize ?? { min: smallestContext, max: model.trainContextSize },
        ...(options.batchSize !== undefined && { batchSize: options.batchSize }),
        ...(options.threads !== undefined && { threads: options.threads }),
        flashAttention,
        ...cacheTypes(options),
        createSignal: options.signal,
      }),
    );
  } catch (error) {
    if (options.signal.aborted) throw options.signal.reason;
    throw tooLarge(options, error);
  }
}

async function openGuessers(
  llama: Llama,
  context: LlamaContext,
  tuning: Tuning,
  options: LoadOptions,
): Promise<Speculation | undefined> {
  const { speculation } = options;
  if (speculation === undefined) return undefined;
  if (speculation === 'lookup') return lookupGuessers();
  const draft = await loadWeights(llama, { ...options, path: speculation.draftModelPath });
  const draftContext = await draft.createContext({
    sequences: options.slots,
    // The library's default, all hardware threads, can stall for seconds when the machine is busy: workers spin.
    threads: tuning.threads.single,
    contextSize: Math.min(context.contextSize, draft.trainContextSize),
  });
  const desk = new DraftDesk({
    bindings: nativeBindings(llama),
    model: nativeModel(draft),
    context: nativeContext(draftContext),
    batchSize: draftContext.batchSize,
    contextSize: draftContext.contextSize,
  });
  return {
    guessers: (slot) => desk.guesser(slot),
    async dispose() {
      // The library holds contexts weakly: one that nobody refers to any more is never disposed, and its model waits
      // for it for ever.
      await draftContext.dispose();
      await draft.dispose();
    },
  };
}

async function deviceName(llama: Llama, { threads }: Tuning): Promise<string> {
  if (!llama.gpu) {
    const counts = [...new Set(Object.values(threads))].sort((a, b) => a - b);
    return `CPU, ${counts.join(' to ')} ${counts.at(-1) === 1 ? 'thread' : 'threads'}`;
  }
  const names = await llama.getGpuDeviceNames();
  return `${llama.gpu === 'metal' ? 'Metal' : llama.gpu.toUpperCase()}: ${[...new Set(names)].join(', ')}`;
}

/** Raised when tunings are chosen in another way: what earlier versions chose is not taken over. */
const tuningVersion = 3;

/** Another file, machine, shape or library may want another tuning; what flags decide holds for starts with them only. */
function tuningKey(llama: Llama, model: LlamaModel, options: LoadOptions): string {
  const { path, slots, contextSize, cacheType, threads, flashAttention } = options;
  const facts = [
    tuningVersion,
    resolve(path),
    model.size,
    slots,
    contextSize ?? 'auto',
    cacheType ?? 'f16',
    threads ?? 'auto',
    flashAttention ?? 'auto',
    cpus()[0]?.model,
    availableParallelism(),
    llama.llamaCppRelease.release,
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}

export function vocabularyFacts(model: LlamaModel): VocabularyFacts {
  const native = nativeModel(model);
  const size = vocabularySizeOf(model);
  const spelling = (token: number) => (token >= 0 && token < size ? native.getTokenString(token) : '');
  const infill = { prefix: native.prefixToken(), suffix: native.suffixToken(), middle: native.middleToken() };
  const knowsInfill = Object.values(infill).every((token) => token >= 0 && token < size);
  return {
    size,
    bosText: spelling(native.tokenBos()),
    eosText: spelling(native.tokenEos()),
    ...(native.tokenBos() >= 0 && { bosToken: native.tokenBos() }),
    addsBos: native.shouldPrependBosToken(),
    addsEos: native.shouldAppendEosToken(),
    controlTexts: controlTexts(native, size),
    infill: knowsInfill ? infill : undefined,
  };
}
