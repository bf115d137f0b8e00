import { z } from 'zod';
import { extensionFields, maxTokensField, reasoningFields, samplingFields } from '../shared/sampling.ts';
import { optional } from '../shared/validate.ts';
import { inputItem, jsonObject } from './items.ts';

const jsonSchemaFormat = z.object({
  type: z.literal('json_schema'),
  name: optional(z.string()),
  schema: z.union([z.boolean(), jsonObject]),
  strict: optional(z.boolean()),
});

/** `text.format`. */
const textFormat = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  jsonSchemaFormat,
]);

export const mostInputItems = 10_000;

/** Counted before any item is looked at. */
const inputItems = z.array(z.unknown()).max(mostInputItems).pipe(z.array(inputItem));

/**
 * `POST /v1/responses`, as described by the types of OpenAI's SDK. Unknown fields are ignored; null is absent everywhere.
 */
export const responsesBody = z.object({
  ...samplingFields,
  ...extensionFields,
  ...reasoningFields,
  model: optional(z.string()),
  input: optional(z.union([z.string(), inputItems, inputItem])),
  instructions: optional(z.union([z.string(), inputItems])),
  tools: optional(z.array(jsonObject)),
  tool_choice: optional(z.union([z.enum(['none', 'auto', 'required']), jsonObject])),
  parallel_tool_calls: optional(z.boolean()),
  max_output_tokens: maxTokensField,
  max_tool_calls: optional(z.int()),
  text: optional(z.object({ format: optional(textFormat), verbosity: optional(z.string()) })),
  reasoning: optional(
    z.object({
      effort: optional(z.string()),
      summary: optional(z.string()),
      /** The older name of `summary`. */
      generate_summary: optional(z.string()),
    }),
  ),
  include: optional(z.array(z.string())),
  top_logprobs: optional(z.int().min(0).max(20)),
  truncation: optional(z.string()),
  metadata: optional(jsonObject),
  stream: optional(z.boolean()),
  store: optional(z.boolean()),
  background: optional(z.boolean()),
  previous_response_id: optional(z.string()),
  conversation: z.unknown().optional(),
  prompt: z.unknown().optional(),
  prompt_cache_key: optional(z.string()),
  prompt_cache_retention: optional(z.string()),
  safety_identifier: optional(z.string()),
  service_tier: optional(z.string()),
  user: optional(z.string()),
});

export type ResponsesBody = z.output<typeof responsesBody>;
export type TextFormat = z.output<typeof textFormat>;
