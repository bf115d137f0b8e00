import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import type { GenerationRequest, OutputShape, Reasoning } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { ignoredFields, ignoredSamplers } from '../shared/ignored-samplers.ts';
import { extensionFields, samplingFields, stopField, toRequestOptions } from '../shared/sampling.ts';
import { optional } from '../shared/validate.ts';
import { warnOfUnknownEffort } from '../shared/vendor-values.ts';

/** Options that are settled when the model is loaded, or that this server has no counterpart for. */
const ignoredOptions = [
  'num_ctx',
  'num_batch',
  'num_gpu',
  'main_gpu',
  'low_vram',
  'num_thread',
  'num_keep',
  'numa',
  'use_mmap',
  'use_mlock',
  'tfs_z',
  'penalize_newline',
] as const;

const anyNumber = optional(z.number());

/** Ollama refuses no number: what is too small or too large counts as the nearest that there is. */
function clamped(least: number, most: number) {
  return anyNumber.transform((value) => (value === undefined ? undefined : Math.min(Math.max(value, least), most)));
}

/** A penalty of 0 or less is none, which is written 1. */
const repeatPenalty = anyNumber.transform((value) => (value !== undefined && value <= 0 ? 1 : value));

/** Ollama's docs/modelfile.mdx, "Valid parameters and values"; the borders are those of its sample/samplers.go. */
const options = z.looseObject({
  ...samplingFields,
  temperature: clamped(0, Number.POSITIVE_INFINITY),
  top_p: clamped(0, 1),
  min_p: clamped(0, 1),
  top_k: optional(z.int()),
  repeat_penalty: repeatPenalty,
  repetition_penalty: repeatPenalty,
  frequency_penalty: anyNumber,
  presence_penalty: anyNumber,
  stop: stopField,
  /** -1 and -2 (fill the context) and 0 put no limit. */
  num_predict: optional(z.int()),
});

const keepAlive = optional(z.union([z.number(), z.string()]));

/** What /api/chat and /api/generate share. `stream` is true when absent. */
export const ollamaFields = {
  ...extensionFields,
  model: optional(z.string()),
  stream: optional(z.boolean()),
  /** `json`, a JSON schema, or "" for none. */
  format: optional(z.union([z.literal(['', 'json']), z.record(z.string(), z.json())])),
  think: optional(z.union([z.boolean(), z.string()])),
  keep_alive: keepAlive,
  logprobs: optional(z.boolean()),
  top_logprobs: optional(z.int().min(0).max(20)),
  options: optional(options),
} as const;

type OllamaFields = Partial<z.output<z.ZodObject<typeof ollamaFields>>>;

/** The members of a request that do not come from its prompt. */
export function toOptions(wire: OllamaFields): Omit<GenerationRequest, 'prompt'> {
  const limit = wire.options?.num_predict ?? -1;
  return {
    ...toRequestOptions({ ...wire, ...wire.options }),
    ...defined({
      model: wire.model,
      logprobs: wire.logprobs ? { top: wire.top_logprobs ?? 0 } : undefined,
    }),
    maxTokens: limit > 0 ? limit : -1,
    stop: wire.options?.stop ?? [],
    outputShape: toOutputShape(wire.format),
  };
}

/** true, false, or an effort by name; `none` is false. */
export function toReasoning(think: OllamaFields['think']): Reasoning {
  if (think === undefined) return {};
  if (typeof think === 'boolean') return { enabled: think };
  return think === 'none' ? { enabled: false } : { enabled: true, effort: think };
}

export function toWarnings({ options, keep_alive, think }: OllamaFields): readonly string[] {
  const warnings = isJsonObject(options)
    ? [...ignoredFields(options, ignoredOptions), ...ignoredSamplers(options)]
    : [];
  if (keep_alive !== undefined) warnings.push('keep_alive is set for the whole server and was ignored');
  if (typeof think === 'string') warnOfUnknownEffort('think', think, (sentence) => void warnings.push(sentence));
  return warnings;
}

function toOutputShape(format: OllamaFields['format']): OutputShape {
  if (format === undefined || format === '') return { type: 'text' };
  return format === 'json' ? { type: 'json' } : { type: 'json-schema', schema: format };
}
