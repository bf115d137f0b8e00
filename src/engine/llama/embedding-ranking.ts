import type { LlamaModel, LlamaRankingContext, Token } from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import type { Ranker } from '../embedder.ts';
import { Lanes } from '../lanes.ts';
import { decodeThread } from './decode-thread.ts';
import {
  checkLength,
  createContext,
  defaultMaxTokensOfWholeBatch,
  type EmbeddingOptions,
  planLanes,
  yieldToEventLoop,
} from './embedding.ts';
import { nativeModel } from './native.ts';
import { createTokenText } from './token-text.ts';

/** Relevance scores over node-llama-cpp's ranking context; undefined for a model that has no ranking head. */
export function createLlamaRanker(model: LlamaModel, options: EmbeddingOptions = {}): Ranker | undefined {
  if (!model.fileInsights.supportsRanking) return undefined;
  const maxTokens = Math.min(options.maxTokens ?? defaultMaxTokensOfWholeBatch, model.trainContextSize);
  const plan = planLanes(model.llama.cpuMathCores, model.llama.gpu !== false);
  const text = createTokenText({ model: nativeModel(model), yieldToEventLoop });
  const contextSize = maxTokens + 1;
  const lanes = new Lanes(options.lanes ?? plan.lanes, () =>
    createContext(() =>
      model.createRankingContext({
        contextSize,
        batchSize: contextSize,
        threads: options.threadsPerLane ?? plan.threads,
      }),
    ),
  );
  const tokenize = async (piece: string, signal: AbortSignal) => {
    const tokens = await text.tokenize([piece], { special: false, signal });
    // What the tokenizer gives is a token: the binding's type is a brand.
    return tokens as Token[];
  };

  let callers = 0;
  const rank: Ranker['rank'] = async (query, documents, signal) => {
    const question = await tokenize(query, signal);
    const pairs: Token[][] = [];
    for (const document of documents) pairs.push(await tokenize(document, signal));
    const lengths = await lanes.use(signal, async (lane) => pairs.map((pair) => lengthOf(lane, question, pair)));
    for (const [index, length] of lengths.entries()) checkLength(length, maxTokens, `documents[${index}]`);
    const scores = await lanes.useForAll(pairs, signal, (lane, pair) => lane.rank([...question], [...pair]));
    return { scores, tokens: lengths.reduce((sum, length) => sum + length, 0) };
  };

  return {
    maxTokens,
    async rank(query, documents, signal) {
      callers += 1;
      try {
        return await decodeThread().lend(() => rank(query, documents, signal));
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

/** Query, document and the marks between them. */
function lengthOf(context: LlamaRankingContext, query: readonly Token[], document: readonly Token[]): number {
  return context.calculateInputLength([...query], [...document]);
}
