import type { EmbeddingAnswer, VectorCaller } from '../../contract/services.ts';
import { parseEmbeddings, writeEmbeddings } from '../../dialects/embeddings/openai.ts';
import { parseRerank, writeRerank } from '../../dialects/rerank/rerank.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import type { Route } from '../route.ts';

/** Embeddings and relevance. */
export function vectorRoutes({ embeddings, rerank, newId }: AppDependencies): Route[] {
  const common = { method: 'POST', shape: openaiShape, access: 'key', owns: 'none', work: true } as const;
  return [
    {
      ...common,
      paths: ['/v1/embeddings', '/embeddings'],
      handle: async (exchange) => {
        const call = parseEmbeddings(await exchange.json());
        exchange.note({ dialect: 'openai-embeddings' });
        const answer = await embeddings.embed(call, vectorCaller(exchange));
        exchange.note({ model: answer.model });
        exchange.spend(inputOnly(tokensOf(answer)));
        return Response.json(writeEmbeddings(call, answer));
      },
    },
    {
      ...common,
      paths: ['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
      handle: async (exchange) => {
        const call = parseRerank(await exchange.json());
        exchange.note({ dialect: 'rerank' });
        const ranking = await rerank.rank(call, vectorCaller(exchange));
        exchange.note({ model: ranking.model });
        exchange.spend(inputOnly(ranking.tokens));
        return Response.json(writeRerank(call, newId(), ranking));
      },
    },
  ];
}

/** As the models for vectors see it. */
export function vectorCaller({ caller: { owner }, signal }: Exchange): VectorCaller {
  return { owner, signal };
}

/** Nothing of it is kept, and nothing is generated. */
export function inputOnly(inputTokens: number) {
  return { inputTokens, cachedTokens: 0, outputTokens: 0 };
}

export function tokensOf({ embeddings }: EmbeddingAnswer): number {
  return embeddings.reduce((sum, { tokens }) => sum + tokens, 0);
}
