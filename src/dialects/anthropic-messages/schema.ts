import { z } from 'zod';
import {
  extensionFields,
  grammarFields,
  maxTokensField,
  reasoningFields,
  samplingFields,
  stopField,
} from '../shared/sampling.ts';
import { boundedList } from '../shared/text-or-tokens.ts';
import { optional } from '../shared/validate.ts';

/**
 * The wire shapes of a Messages request, as the types of @anthropic-ai/sdk give them (resources/messages). Fields that
 * carry no meaning here (cache_control, citations, caller ...) are dropped; blocks of unknown types become `unknown`, so
 * that a new client release does not break the server.
 */
const textBlock = z.object({ type: z.literal('text'), text: z.string() });

const plainBlocks = [
  textBlock,
  z.object({
    type: z.literal('image'),
    source: z.looseObject({ type: z.string(), data: optional(z.string()), url: optional(z.string()) }),
  }),
  z.object({
    type: z.literal('document'),
    title: optional(z.string()),
    source: optional(z.looseObject({ type: optional(z.string()), data: optional(z.string()) })),
  }),
  z.object({
    type: z.literal('search_result'),
    title: z.string(),
    source: z.string(),
    content: z.array(textBlock),
  }),
  z.object({ type: z.literal('tool_reference'), tool_name: z.string() }),
  z.object({ type: z.literal('unknown'), name: z.string(), raw: z.unknown().optional() }),
] as const;

/** What a tool result may hold. */
const plainBlock = known(plainBlocks);

const contentBlock = known([
  ...plainBlocks,
  z.object({ type: z.literal('thinking'), thinking: z.string(), signature: optional(z.string()) }),
  z.object({ type: z.literal('redacted_thinking') }),
  z.object({ type: z.literal('tool_use'), id: z.string(), name: z.string(), input: z.unknown().optional() }),
  z.object({
    type: z.literal('tool_result'),
    tool_use_id: z.string(),
    content: optional(z.union([z.string(), z.array(plainBlock)])),
    is_error: optional(z.boolean()),
  }),
]);

const message = z.object({
  role: z.enum(['user', 'assistant', 'system']),
  content: z.union([z.string(), z.array(contentBlock)]),
});

const customTool = z.object({
  type: z.literal('custom'),
  name: z.string().min(1),
  description: optional(z.string()),
  input_schema: optional(z.record(z.string(), z.json())),
  strict: optional(z.boolean()),
  /** It waits until a `tool_reference` names it. */
  defer_loading: optional(z.boolean()),
});

/** Tools without a type are custom ones; every other type is run by Anthropic's servers or has a schema only they know. */
const tool = z.preprocess(
  (raw) => {
    if (!isRecord(raw)) return raw;
    if (raw.type === undefined || raw.type === null) return { ...raw, type: 'custom' };
    return typeof raw.type !== 'string' || raw.type === 'custom' ? raw : { type: 'server', name: raw.type, raw };
  },
  z.discriminatedUnion('type', [
    customTool,
    z.object({ type: z.literal('server'), name: z.string(), raw: z.unknown().optional() }),
  ]),
);

const jsonFormat = z.object({ type: z.literal('json_schema'), schema: z.record(z.string(), z.json()) });

export const requestSchema = z.object({
  ...samplingFields,
  ...extensionFields,
  ...reasoningFields,
  ...grammarFields,
  model: optional(z.string()),
  max_tokens: maxTokensField,
  system: optional(z.union([z.string(), z.array(textBlock)])),
  messages: boundedList(message, 10_000),
  stop_sequences: stopField,
  stream: optional(z.boolean()),
  metadata: optional(z.object({ user_id: optional(z.string()) })),
  tools: optional(z.array(tool)),
  tool_choice: optional(
    z.discriminatedUnion('type', [
      z.object({ type: z.literal('auto'), disable_parallel_tool_use: optional(z.boolean()) }),
      z.object({ type: z.literal('any'), disable_parallel_tool_use: optional(z.boolean()) }),
      z.object({ type: z.literal('tool'), name: z.string(), disable_parallel_tool_use: optional(z.boolean()) }),
      z.object({ type: z.literal('none') }),
    ]),
  ),
  thinking: optional(
    z.object({
      type: z.string(),
      budget_tokens: optional(z.int().min(-1)),
      display: optional(z.string()),
    }),
  ),
  output_config: optional(z.object({ effort: optional(z.string()), format: optional(jsonFormat) })),
  output_format: optional(jsonFormat),
  service_tier: optional(z.string()),
  speed: optional(z.string()),
  mcp_servers: optional(z.unknown()),
  container: optional(z.unknown()),
  context_management: optional(z.unknown()),
});

export type MessagesBody = z.output<typeof requestSchema>;
export type WireMessage = z.output<typeof message>;
export type ContentBlock = z.output<typeof contentBlock>;
export type PlainBlock = z.output<typeof plainBlock>;
export type ToolResultBlock = Extract<ContentBlock, { type: 'tool_result' }>;
export type WireTool = z.output<typeof tool>;

/** A union by `type` in which an unlisted type is no error: it becomes `{type: 'unknown', name}`. */
function known<const Blocks extends readonly [z.ZodObject, ...z.ZodObject[]]>(blocks: Blocks) {
  const types = new Set(blocks.map((block) => literalOf(block)));
  types.delete('unknown');
  return z.preprocess(
    (raw) =>
      isRecord(raw) && typeof raw.type === 'string' && !types.has(raw.type)
        ? { type: 'unknown', name: raw.type, raw }
        : raw,
    z.discriminatedUnion('type', blocks),
  );
}

function literalOf(block: z.ZodObject): unknown {
  const type: unknown = block.shape.type;
  return type instanceof z.ZodLiteral ? type.value : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
