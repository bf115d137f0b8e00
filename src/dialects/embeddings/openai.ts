import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import type { EmbeddingAnswer, EmbeddingCall, EmbeddingInput } from '../../contract/services.ts';
import { textOrTokens } from '../shared/text-or-tokens.ts';
import { optional, rule, validate } from '../shared/validate.ts';
import { toBase64, toUnit } from './vector-forms.ts';

export interface EmbeddingsCall extends EmbeddingCall {
  readonly format: 'float' | 'base64';
}

/** OpenAI's limit for a list of inputs. */
const maxInputs = 2048;
const text = rule(z.string(), (value) => value !== '', 'a text that is not empty');

/** https://platform.openai.com/docs/api-reference/embeddings/create */
export const embeddingsBody = z.object({
  model: optional(z.string()),
  input: textOrTokens(text, maxInputs),
  encoding_format: optional(z.enum(['float', 'base64'])),
  dimensions: optional(z.int().min(1)),
  user: optional(z.string()),
});

export function parseEmbeddings(body: unknown): EmbeddingsCall {
  const { model, input, dimensions, encoding_format } = validate(embeddingsBody, body);
  return { model, inputs: toInputs(input), dimensions, truncate: false, format: encoding_format ?? 'float' };
}

/** One input or several: a list of numbers is one, a list of texts or of lists is as many. */
function toInputs(input: string | readonly (string | number | readonly number[])[]): readonly EmbeddingInput[] {
  if (typeof input === 'string') return [input];
  const numbers = input.filter((entry) => typeof entry === 'number');
  return numbers.length > 0 ? [numbers] : input.filter((entry) => typeof entry !== 'number');
}

export function writeEmbeddings(call: EmbeddingsCall, { model, embeddings }: EmbeddingAnswer): JsonObject {
  const used = embeddings.reduce((sum, { tokens: count }) => sum + count, 0);
  return {
    object: 'list',
    data: embeddings.map(({ vector }, index) => {
      const unit = toUnit(vector, call.dimensions);
      return { object: 'embedding', index, embedding: call.format === 'base64' ? toBase64(unit) : unit };
    }),
    model,
    usage: { prompt_tokens: used, total_tokens: used },
  };
}
