import { ServeError } from '../../contract/errors.ts';
import type { EmbeddingInput } from '../../contract/services.ts';
import type { Embedder, Pooling, Ranker } from '../embedder.ts';
import type { TokenText } from '../engine.ts';
import type { Questions } from './questions.ts';

export interface VectorFacts {
  readonly dimensions: number;
  readonly pooling: Pooling;
  /** Longest input in tokens, with its marks. */
  readonly maxTokens: number;
  readonly vocabularySize: number;
  readonly marks: TextMarks;
  /** undefined: the model has no ranking head. */
  readonly ranking: RankingMarks | undefined;
}

/** The tokens that the vocabulary wants around a text; undefined: none. */
export interface TextMarks {
  readonly first: number | undefined;
  readonly last: number | undefined;
}

/** Query and document, and what stands before, between and after them. */
export interface RankingMarks {
  readonly before: readonly number[];
  readonly between: readonly number[];
  readonly after: readonly number[];
  /** The model itself gives a probability. */
  readonly normalized: boolean;
}

interface Prepared {
  readonly tokens: Int32Array;
  readonly cutFrom?: number;
}

/** The vectors of a model: texts become tokens here, and the engine's thread computes. */
export function createVectors(
  facts: VectorFacts,
  text: TokenText,
  questions: Questions,
): { readonly embedder: Embedder; readonly ranker: Ranker | undefined } {
  const embedding = counted();
  const dispose = async () => undefined;
  const { dimensions, pooling, maxTokens, ranking } = facts;
  return {
    embedder: {
      dimensions,
      pooling,
      maxTokens,
      embed: (inputs, { truncate, owner, signal }) =>
        embedding.during(async () => {
          const prepared: Prepared[] = [];
          for (const [index, input] of inputs.entries()) {
            const tokens = await tokensOf(input, index, facts, text, signal);
            prepared.push(fitInput(tokens, facts, truncate, `input[${index}]`));
          }
          const asked = { about: 'embed', owner, inputs: prepared.map(({ tokens }) => tokens) } as const;
          const { vectors } = await questions.ask('embed', asked, signal);
          return prepared.map(({ tokens, cutFrom }, index) => ({
            vector: [...(vectors[index] ?? [])],
            tokens: tokens.length,
            ...(cutFrom !== undefined && { cutFrom }),
          }));
        }),
      get busy() {
        return embedding.busy();
      },
      dispose,
    },
    ranker: ranking && createRanker(ranking, facts, text, questions),
  };
}

function createRanker(
  { before, between, after, normalized }: RankingMarks,
  { maxTokens }: VectorFacts,
  text: TokenText,
  questions: Questions,
): Ranker {
  const ranking = counted();
  return {
    maxTokens,
    rank: (query, documents, { owner, signal }) =>
      ranking.during(async () => {
        const question = await text.tokenize([query], { special: false, signal });
        const pairs: Int32Array[] = [];
        for (const [index, document] of documents.entries()) {
          const tokens = await text.tokenize([document], { special: false, signal });
          const empty = question.length === 0 && tokens.length === 0;
          const pair = empty ? [] : [...before, ...question, ...between, ...tokens, ...after];
          checkLength(pair.length, maxTokens, `documents[${index}]`);
          pairs.push(Int32Array.from(pair));
        }
        const { scores } = await questions.ask('rank', { about: 'rank', owner, pairs }, signal);
        const score = (value: number) => (normalized ? value : 1 / (1 + Math.exp(-value)));
        return {
          scores: scores.map((value, index) => ((pairs[index]?.length ?? 0) === 0 ? 0 : score(value))),
          tokens: pairs.reduce((sum, { length }) => sum + length, 0),
        };
      }),
    get busy() {
      return ranking.busy();
    },
    dispose: async () => undefined,
  };
}

async function tokensOf(
  input: EmbeddingInput,
  index: number,
  { vocabularySize }: VectorFacts,
  text: TokenText,
  signal: AbortSignal,
): Promise<readonly number[]> {
  if (typeof input === 'string') return text.tokenize([input], { special: false, signal });
  const wrong = input.findIndex((token) => !Number.isInteger(token) || token < 0 || token >= vocabularySize);
  if (wrong < 0) return input;
  throw new ServeError(
    'invalid_request',
    `\`input[${index}]\` holds the token ${input[wrong]}, but this model's tokens are 0 to ${vocabularySize - 1}. /tokenize tells the numbers.`,
    { param: `input[${index}]` },
  );
}

/** With its marks, cut at the end or refused when it is too long. */
function fitInput(
  tokens: readonly number[],
  { maxTokens, marks }: VectorFacts,
  truncate: boolean,
  param: string,
): Prepared {
  const whole = withMarks(tokens, marks);
  if (!truncate) checkLength(whole.length, maxTokens, param);
  const excess = whole.length - maxTokens;
  if (excess <= 0) return { tokens: whole };
  return { tokens: withMarks(tokens.slice(0, -excess), marks), cutFrom: whole.length };
}

function withMarks(tokens: readonly number[], { first, last }: TextMarks): Int32Array {
  return Int32Array.from([
    ...(first !== undefined && tokens[0] !== first ? [first] : []),
    ...tokens,
    ...(last !== undefined && tokens.at(-1) !== last ? [last] : []),
  ]);
}

function checkLength(needed: number, available: number, param: string): void {
  if (needed <= available) return;
  throw new ServeError(
    'context_length_exceeded',
    `This model's maximum context length is ${available} tokens; \`${param}\` has ${needed} tokens. Split it into shorter parts.`,
    { param, tokens: { needed, available, asked: 0, estimated: false } },
  );
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
