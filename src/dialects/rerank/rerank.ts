import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import type { RankingAnswer, RankingCall } from '../../contract/services.ts';
import { optional, rule, validate } from '../shared/validate.ts';

export interface RerankCall extends RankingCall {
  readonly top: number;
  readonly returnDocuments: boolean;
}

const text = rule(z.string(), (value) => value !== '', 'a text that is not empty');

/** The form that Jina and Cohere share: https://docs.cohere.com/reference/rerank, https://jina.ai/reranker */
export const rerankBody = z.object({
  model: optional(z.string()),
  query: text,
  documents: z
    .array(z.union([text, z.object({ text })]))
    .min(1)
    .max(1000),
  top_n: optional(z.int().min(1)),
  return_documents: optional(z.boolean()),
});

export function parseRerank(body: unknown): RerankCall {
  const wire = validate(rerankBody, body);
  const documents = wire.documents.map((document) => (typeof document === 'string' ? document : document.text));
  return {
    model: wire.model,
    query: wire.query,
    documents,
    top: Math.min(wire.top_n ?? documents.length, documents.length),
    returnDocuments: wire.return_documents ?? false,
  };
}

/** The best first; of equal scores the earlier document. */
export function writeRerank(call: RerankCall, id: string, ranking: RankingAnswer): JsonObject {
  const results = call.documents
    .map((document, index) => ({
      index,
      relevance_score: ranking.scores[index] ?? 0,
      ...(call.returnDocuments && { document: { text: document } }),
    }))
    .sort((left, right) => right.relevance_score - left.relevance_score)
    .slice(0, call.top);
  return {
    id: `rerank-${id}`,
    object: 'list',
    model: ranking.model,
    results,
    usage: { prompt_tokens: ranking.tokens, total_tokens: ranking.tokens },
  };
}
