import { ServeError } from '../../src/contract/errors.ts';
import { createKeyring } from '../../src/http/access/keyring.ts';
import type { AppDependencies } from '../../src/http/dependencies.ts';

const bytes = (text: string) => new TextEncoder().encode(text);

/** Vectors that tell their input's length; tokens that are character codes; nobody has a key. */
export const fakeServices: Pick<AppDependencies, 'embeddings' | 'rerank' | 'tokens' | 'keyring' | 'usage'> = {
  usage: {
    began: () => undefined,
    spent: () => undefined,
    today: () => ({ tokens: 0, msLeft: 0 }),
    list: async () => [],
    close: async () => undefined,
  },
  keyring: () => createKeyring({ keys: [], adminToken: undefined }),
  embeddings: {
    embed: async ({ inputs, truncate }) => ({
      model: 'vectors',
      embeddings: inputs.map((input, index) => {
        if (input.length <= 8) return { vector: [input.length, 0], tokens: input.length };
        if (truncate) return { vector: [8, 0], tokens: 8, cutFrom: input.length };
        throw new ServeError('context_length_exceeded', 'too long', { param: `input[${index}]` });
      }),
    }),
  },
  rerank: {
    rank: async ({ model, query, documents }) => {
      if (model === 'chat') throw new ServeError('invalid_request', 'no ranking model', { param: 'model' });
      return {
        model: 'ranker',
        scores: documents.map((document) => (document.includes(query) ? 0.75 : 0.25)),
        tokens: 9,
      };
    },
  },
  tokens: {
    tokenize: async (_model, text, { addSpecial }) => [
      ...(addSpecial ? [1] : []),
      ...[...text].map((character) => character.charCodeAt(0)),
    ],
    promptTokens: async () => [72, 105],
    pieces: async (_model, tokens) => tokens.map((token) => bytes(String.fromCharCode(token))),
  },
};
