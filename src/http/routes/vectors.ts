import { parseEmbeddings, writeEmbeddings } from '../../dialects/embeddings/openai.ts';
import { checkDimensions } from '../../dialects/embeddings/vectors.ts';
import { parseRerank, writeRerank } from '../../dialects/rerank/rerank.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Route } from '../route.ts';

/** Embeddings and relevance. */
export function vectorRoutes({ embeddings, rerank, newId }: AppDependencies): Route[] {
  const common = { method: 'POST', shape: openaiShape, access: 'key', work: true } as const;
  return [
    {
      ...common,
      paths: ['/v1/embeddings', '/embeddings'],
      handle: async (exchange) => {
        const call = parseEmbeddings(await exchange.json());
        const model = embeddings.resolve(call.model);
        exchange.note({ dialect: 'openai-embeddings', model: model.id });
        checkDimensions(call.dimensions, model);
        const { signal } = exchange;
        const list = await embeddings.embed(call.model, call.inputs, { truncate: false, signal });
        exchange.note({ inputTokens: list.reduce((sum, { tokens }) => sum + tokens, 0) });
        return Response.json(writeEmbeddings(call, model.id, list));
      },
    },
    {
      ...common,
      paths: ['/v1/rerank', '/rerank', '/v1/reranking', '/reranking'],
      handle: async (exchange) => {
        const call = parseRerank(await exchange.json());
        const model = rerank.resolve(call.model);
        exchange.note({ dialect: 'rerank', model });
        const ranking = await rerank.rank(call.model, call.query, call.documents, exchange.signal);
        exchange.note({ inputTokens: ranking.tokens });
        return Response.json(writeRerank(call, { id: newId(), model }, ranking));
      },
    },
  ];
}
