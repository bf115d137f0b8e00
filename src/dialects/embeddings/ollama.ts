import { z } from 'zod';
import type { JsonObject } from '../../contract/json.ts';
import type { EmbeddingAnswer, EmbeddingCall } from '../../contract/services.ts';
import { optional, validate } from '../shared/validate.ts';
import { toUnit } from './vector-forms.ts';

/** Ollama's docs/api.md, "Generate embeddings". Inputs that are too long are cut unless `truncate` is false. */
const embed = z.object({
  model: optional(z.string()),
  input: z.union([z.string(), z.array(z.string()).max(2048)]),
  truncate: optional(z.boolean()),
  dimensions: optional(z.int().min(1)),
  keep_alive: optional(z.union([z.string(), z.number()])),
});

/** Its older form: one text, one vector. */
const oldEmbeddings = z.object({
  model: optional(z.string()),
  prompt: z.string(),
  keep_alive: optional(z.union([z.string(), z.number()])),
});

export function parseEmbed(body: unknown): EmbeddingCall {
  const { model, input, truncate, dimensions } = validate(embed, body);
  return {
    model,
    inputs: typeof input === 'string' ? textsOf(input) : input,
    dimensions,
    truncate: truncate ?? true,
  };
}

export function parseOldEmbeddings(body: unknown): EmbeddingCall {
  const { model, prompt } = validate(oldEmbeddings, body);
  return { model, inputs: textsOf(prompt), dimensions: undefined, truncate: true };
}

/** A lone empty text asks for nothing but that the model be loaded. */
function textsOf(text: string): readonly string[] {
  return text === '' ? [] : [text];
}

/** `milliseconds` is what it took; the answer tells it in nanoseconds. */
export function writeEmbed(
  call: EmbeddingCall,
  { model, embeddings }: EmbeddingAnswer,
  milliseconds: number,
): JsonObject {
  return {
    model,
    embeddings: embeddings.map(({ vector }) => toUnit(vector, call.dimensions)),
    total_duration: Math.round(milliseconds * 1e6),
    load_duration: 0,
    prompt_eval_count: embeddings.reduce((sum, { tokens }) => sum + tokens, 0),
  };
}

export function writeOldEmbeddings({ embeddings: [only] }: EmbeddingAnswer): JsonObject {
  return { embedding: toUnit(only?.vector ?? []) };
}
