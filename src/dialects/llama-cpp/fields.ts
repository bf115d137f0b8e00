import { z } from 'zod';
import type { GenerationRequest } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { toOutputShape } from '../openai-chat/response-format.ts';
import { defined } from '../shared/defined.ts';
import { progressField, wantsProgress } from '../shared/progress.ts';
import { extensionFields, grammarFields, samplingFields, stopField, toRequestOptions } from '../shared/sampling.ts';
import { optional, rule } from '../shared/validate.ts';

/** What an answer in llama.cpp's own form has to know of its request. */
export interface LlamaCall extends ParsedCall {
  readonly returnTokens: boolean;
  /** Candidates per token in `completion_probabilities`; 0: none. */
  readonly probabilities: number;
  /** Paths of the answer that the client wants, undefined for all: `timings/prompt_n` becomes a member of that name. */
  readonly responseFields: readonly string[] | undefined;
}

/** Options of llama.cpp's /completion that this server has no counterpart for, beside the samplers. */
export const ignoredOptions = [
  'n_indent',
  'n_keep',
  'id_slot',
  't_max_prompt_ms',
  't_max_predict_ms',
  'post_sampling_probs',
] as const;

const predict = optional(
  rule(z.int(), (value) => value >= -1, 'at least 0 (evaluate the prompt only), or -1 for the rest of the context'),
);

/** llama.cpp's server README, "POST /completion": the options that its two generating routes share. */
export const llamaFields = {
  model: optional(z.string()),
  n_predict: predict,
  max_tokens: predict,
  n_probs: optional(z.int().min(0).max(20)),
  return_tokens: optional(z.boolean()),
  response_fields: optional(z.array(z.string()).max(100)),
  stop: stopField,
  stream: optional(z.boolean()),
  ...samplingFields,
  ...extensionFields,
  ...grammarFields,
  ...progressField,
} as const;

const described = z.object(llamaFields);
type Wire = z.output<typeof described>;

/** All of a request but its prompt. */
export function toOptions(wire: Wire): Omit<GenerationRequest, 'prompt'> {
  const probabilities = wire.n_probs ?? 0;
  return {
    ...toRequestOptions(wire),
    ...defined({
      model: wire.model,
      logprobs: probabilities > 0 || wire.return_tokens ? { top: probabilities } : undefined,
      progress: wantsProgress(wire),
    }),
    maxTokens: wire.n_predict ?? wire.max_tokens ?? -1,
    stop: wire.stop,
    outputShape: toOutputShape(wire),
  };
}

export function toLlamaCall(
  wire: Wire,
  generations: readonly GenerationRequest[],
  warnings: readonly string[],
): LlamaCall {
  return {
    generations,
    stream: wire.stream ?? false,
    warnings,
    returnTokens: wire.return_tokens ?? false,
    probabilities: wire.n_probs ?? 0,
    responseFields: wire.response_fields,
  };
}
