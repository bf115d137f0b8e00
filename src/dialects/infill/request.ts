import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import type { ParsedCall } from '../dialect.ts';
import { toOutputShape } from '../openai-chat/response-format.ts';
import { defined } from '../shared/defined.ts';
import { ignoredFields, ignoredSamplers } from '../shared/ignored-samplers.ts';
import { progressField, wantsProgress } from '../shared/progress.ts';
import { extensionFields, grammarFields, samplingFields, stopField, toRequestOptions } from '../shared/sampling.ts';
import { optional, rule, validate } from '../shared/validate.ts';

export interface InfillCall extends ParsedCall {
  readonly returnTokens: boolean;
  /** Candidates per token in `completion_probabilities`; 0: none. */
  readonly probabilities: number;
  /** Paths of the answer that the client wants, undefined for all: `timings/prompt_n` becomes a member of that name. */
  readonly responseFields: readonly string[] | undefined;
}

/** Options of llama.cpp's /completion that this server has no counterpart for, beside the samplers. */
const ignored = [
  'n_indent',
  'n_keep',
  'id_slot',
  't_max_prompt_ms',
  't_max_predict_ms',
  'samplers',
  'min_keep',
  'repeat_last_n',
  'post_sampling_probs',
  'lora',
] as const;

const predict = optional(
  rule(z.int(), (value) => value >= -1, 'at least 0 (evaluate the prompt only), or -1 for the rest of the context'),
);

/** llama.cpp's server README, "POST /infill": what editor plug-ins send. */
export const infillBody = z.looseObject({
  model: optional(z.string()),
  input_prefix: optional(z.string()),
  input_suffix: optional(z.string()),
  input_extra: optional(z.array(z.object({ filename: optional(z.string()), text: z.string() })).max(1000)),
  /** What is already typed behind the prefix, usually the start of the line. */
  prompt: optional(z.string()),
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
});

export function parse(body: unknown): InfillCall {
  const wire = validate(infillBody, body);
  const probabilities = wire.n_probs ?? 0;
  const returnTokens = wire.return_tokens ?? false;
  return {
    generations: [
      {
        ...toRequestOptions(wire),
        ...defined({
          model: wire.model,
          logprobs: probabilities > 0 || returnTokens ? { top: probabilities } : undefined,
          progress: wantsProgress(wire),
        }),
        prompt: {
          type: 'infill',
          prefix: `${wire.input_prefix ?? ''}${wire.prompt ?? ''}`,
          suffix: wire.input_suffix ?? '',
          extra: (wire.input_extra ?? []).map(({ filename, text }) => ({ name: filename ?? 'tmp', text })),
        },
        maxTokens: wire.n_predict ?? wire.max_tokens ?? -1,
        stop: wire.stop,
        outputShape: toOutputShape(wire),
      },
    ],
    stream: wire.stream ?? false,
    warnings: isJsonObject(body) ? [...ignoredFields(body, ignored), ...ignoredSamplers(body)] : [],
    returnTokens,
    probabilities,
    responseFields: wire.response_fields,
  };
}
