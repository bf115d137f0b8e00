import {
  InsufficientMemoryError,
  type LlamaEmbeddingContext,
  type LlamaModel,
  LlamaVocabularyType,
  type Token,
} from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import type { Embedding, EmbeddingInput } from '../../contract/services.ts';
import type { Embedder, Pooling } from '../embedder.ts';
import { Lanes } from '../lanes.ts';
import { decodeThread } from './decode-thread.ts';
import { vocabularySizeOf } from './llama-engine.ts';
import { nativeModel } from './native.ts';
import { createTokenText } from './token-text.ts';

export interface EmbeddingOptions {
  /** Longest input in tokens; undefined: what the model was trained for, up to a limit that fits ordinary memory. */
  readonly maxTokens?: number | undefined;
  /** Contexts that evaluate at once. Each has a memory of its own. */
  readonly lanes?: number;
  readonly threadsPerLane?: number;
}

export interface LanePlan {
  readonly lanes: number;
  readonly threads: number;
}

const mostLanes = 4;

/**
 * Short inputs gain nothing from a second thread, and long ones less than a second input does: first as many lanes as
 * there are cores, up to 4, then threads for each. A device needs only the next input ready when one is done.
 */
export function planLanes(cores: number, onDevice: boolean): LanePlan {
  if (onDevice) return { lanes: 2, threads: 1 };
  const lanes = Math.max(1, Math.min(mostLanes, cores));
  return { lanes, threads: Math.max(1, Math.floor(cores / lanes)) };
}

/** llama.cpp's pooling types that need the whole input in one batch: their attention sees all of it at once. */
const wholeInputPooling: Readonly<Record<number, Pooling>> = { 1: 'mean', 2: 'cls' };

export const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

const defaultMaxTokens = 4096;
/** The memory of one batch grows with its square where flash attention is not at hand. */
export const defaultMaxTokensOfWholeBatch = 2048;
const ordinaryBatch = 512;

/**
 * Embeddings over node-llama-cpp's embedding context. The binding reads the vector of sequence 0 only, so a context takes
 * one input at a time and inputs cannot share a batch: several contexts work side by side instead.
 */
export function createLlamaEmbedder(model: LlamaModel, options: EmbeddingOptions = {}): Embedder {
  const plan = planLanes(model.llama.cpuMathCores, model.llama.gpu !== false);
  const pooling = poolingOf(model);
  const whole = pooling !== 'last';
  const limit = options.maxTokens ?? (whole ? defaultMaxTokensOfWholeBatch : defaultMaxTokens);
  const maxTokens = Math.min(limit, model.trainContextSize);
  const vocabularySize = vocabularySizeOf(model);
  const text = createTokenText({ model: nativeModel(model), yieldToEventLoop });
  // The binding wants one free place behind the input.
  const contextSize = maxTokens + 1;
  const lanes = new Lanes(options.lanes ?? plan.lanes, () =>
    createContext(() =>
      model.createEmbeddingContext({
        contextSize,
        batchSize: whole ? contextSize : Math.min(ordinaryBatch, contextSize),
        threads: options.threadsPerLane ?? plan.threads,
      }),
    ),
  );

  let callers = 0;

  const toTokens = async (input: EmbeddingInput, index: number, signal: AbortSignal): Promise<Token[]> => {
    if (typeof input !== 'string') return checkTokens(input, index, vocabularySize);
    const tokens = await text.tokenize([input], { special: false, signal });
    return tokens.map(toToken);
  };

  return {
    dimensions: model.embeddingVectorSize,
    pooling,
    maxTokens,
    async embed(inputs, { truncate, signal }) {
      callers += 1;
      try {
        const prepared: Prepared[] = [];
        for (const [index, input] of inputs.entries()) {
          const tokens = await toTokens(input, index, signal);
          prepared.push(fitInput(model, tokens, { maxTokens, truncate, param: `input[${index}]` }));
        }
        return await decodeThread().lend(() => lanes.useForAll(prepared, signal, evaluate));
      } finally {
        callers -= 1;
      }
    },
    get busy() {
      return callers > 0;
    },
    async dispose() {
      const contexts = await lanes.close(new ServeError('draining', 'The model is being unloaded.'));
      await Promise.all(contexts.map((context) => context.dispose()));
    },
  };
}

interface Prepared {
  readonly tokens: readonly Token[];
  readonly cutFrom?: number;
}

/** With its marks, cut at the end or refused when it is too long. */
function fitInput(
  model: LlamaModel,
  tokens: readonly Token[],
  { maxTokens, truncate, param }: { maxTokens: number; truncate: boolean; param: string },
): Prepared {
  const whole = withMarks(model, tokens);
  if (!truncate) checkLength(whole.length, maxTokens, param);
  const excess = whole.length - maxTokens;
  if (excess <= 0) return { tokens: whole };
  return { tokens: withMarks(model, tokens.slice(0, -excess)), cutFrom: whole.length };
}

async function evaluate(context: LlamaEmbeddingContext, { tokens, cutFrom }: Prepared): Promise<Embedding> {
  const { vector } = await context.getEmbeddingFor([...tokens]);
  return { vector, tokens: tokens.length, ...(cutFrom !== undefined && { cutFrom }) };
}

function poolingOf(model: LlamaModel): Pooling {
  const { architecture } = model.fileInfo.metadata.general;
  const facts: unknown = Reflect.get(model.fileInfo.metadata, architecture);
  const type: unknown = typeof facts === 'object' && facts !== null ? Reflect.get(facts, 'pooling_type') : undefined;
  return (typeof type === 'number' ? wholeInputPooling[type] : undefined) ?? 'last';
}

/**
 * The tokens between the marks that the vocabulary wants around a text, as llama.cpp's own tokenizer sets them. The
 * binding would add them too, but leaves out the first one of XLM-RoBERTa's kind, which is where `cls` pooling looks.
 */
function withMarks(model: LlamaModel, tokens: readonly Token[]): Token[] {
  const { bos, eos, sep, shouldPrependBosToken, shouldAppendEosToken } = model.tokens;
  const { wpm, ugm } = LlamaVocabularyType;
  const first = model.vocabularyType === wpm || shouldPrependBosToken ? bos : null;
  const last = model.vocabularyType === wpm ? sep : model.vocabularyType === ugm || shouldAppendEosToken ? eos : null;
  return [
    ...(first !== null && tokens[0] !== first ? [first] : []),
    ...tokens,
    ...(last !== null && tokens.at(-1) !== last ? [last] : []),
  ];
}

function checkTokens(tokens: readonly number[], index: number, vocabularySize: number): Token[] {
  const wrong = tokens.findIndex((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
  if (wrong < 0) return tokens.map(toToken);
  throw new ServeError(
    'invalid_request',
    `\`input[${index}]\` holds the token ${tokens[wrong]}, but this model's tokens are 0 to ${vocabularySize - 1}. /tokenize tells the numbers.`,
    { param: `input[${index}]` },
  );
}

/** A number that was checked is a token: the binding's type is a brand. */
function toToken(token: number): Token {
  return token as Token;
}

export function checkLength(needed: number, available: number, param: string): void {
  if (needed <= available) return;
  throw new ServeError(
    'context_length_exceeded',
    `This model's maximum context length is ${available} tokens; \`${param}\` has ${needed} tokens. Split it into shorter parts.`,
    { param, tokens: { needed, available, asked: 0, estimated: false } },
  );
}

export async function createContext<T>(create: () => Promise<T>): Promise<T> {
  try {
    return await create();
  } catch (error) {
    if (error instanceof InsufficientMemoryError)
      throw new ServeError(
        'insufficient_memory',
        "The context for embeddings does not fit into this machine's memory. Use a smaller model, or load this one with --embeddings and a smaller --ctx-size.",
        {},
        { cause: error },
      );
    throw new ServeError(
      'not_implemented',
      `This model cannot compute it: ${error instanceof Error ? error.message : String(error)}`,
      {},
      { cause: error },
    );
  }
}
