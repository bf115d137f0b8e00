import type { Embedder, Ranker } from '../embedder.ts';
import type { LoadedFacts } from './protocol.ts';
import type { Questions } from './questions.ts';

/** The vectors of a model in the child, which ends their contexts with the model. */
export function createProcessVectors(
  facts: LoadedFacts,
  questions: Questions,
): { readonly embedder: Embedder; readonly ranker: Ranker | undefined } {
  const embedding = counted();
  const ranking = counted();
  const dispose = async () => undefined;
  return {
    embedder: {
      ...facts.embedder,
      embed: (inputs, { truncate, signal }) =>
        embedding.during(async () => {
          const answer = await questions.ask('embed', { about: 'embed', inputs, truncate }, signal);
          return answer.embeddings;
        }),
      get busy() {
        return embedding.busy();
      },
      dispose,
    },
    ranker: facts.ranker && {
      ...facts.ranker,
      rank: (query, documents, signal) =>
        ranking.during(async () => (await questions.ask('rank', { about: 'rank', query, documents }, signal)).ranking),
      get busy() {
        return ranking.busy();
      },
      dispose,
    },
  };
}

function counted() {
  let callers = 0;
  return {
    busy: () => callers > 0,
    async during<Result>(work: () => Promise<Result>): Promise<Result> {
      callers++;
      try {
        return await work();
      } finally {
        callers--;
      }
    },
  };
}
