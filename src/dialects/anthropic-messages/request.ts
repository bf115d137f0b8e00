import { isJsonObject } from '../../contract/json.ts';
import type { GenerationRequest, OutputShape, Reasoning } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { toReasoning, toRequestOptions } from '../shared/sampling.ts';
import { validate } from '../shared/validate.ts';
import { takeVendorValue, warnOfUnknownEffort } from '../shared/vendor-values.ts';
import type { Reading, Warnings } from './conversation.ts';
import { toMessages } from './conversation.ts';
import { loadedTools } from './loaded-tools.ts';
import { readMcpServers, toWish } from './mcp-servers.ts';
import type { MessagesBody } from './schema.ts';
import { requestSchema } from './schema.ts';
import { toParallelToolCalls, toToolChoice, toTools } from './tools.ts';

export interface MessagesCall extends ParsedCall {
  readonly generations: readonly [GenerationRequest];
  /** False for `display: "omitted"`: thinking blocks come without their text, which then travels in the signature. */
  readonly showThinking: boolean;
}

export function parseMessages(body: unknown, withTools = false): MessagesCall {
  const flat = withExtraBody(body);
  const valid = validate(requestSchema, flat);
  const mcp = withTools ? readMcpServers(valid) : undefined;
  const warnings: Warnings = new Set([
    ...unusedFields(valid, withTools),
    ...(isJsonObject(flat) ? ignoredSamplers(flat) : []),
  ]);
  const wantsMore = isJsonObject(flat) && flat.enable_tools === true;
  const mayHaveMore = mcp !== undefined && (mcp.names.length > 0 || wantsMore);
  const request = toRequest(valid, { warnings, withTools, mayHaveMore });
  const warn = warnings.add.bind(warnings);
  takeVendorValue('messagesServiceTier', valid.service_tier, warn);
  takeVendorValue('messagesSpeed', valid.speed, warn);
  warnOfUnknownEffort('output_config.effort', valid.output_config?.effort, warn);
  const display = takeVendorValue('thinkingDisplay', valid.thinking?.display, warn);
  return {
    generations: [request],
    stream: valid.stream ?? false,
    warnings: [...warnings],
    showThinking: display !== 'omitted',
    ...(mcp && { serverTools: (setup) => setup && toWish({ body: valid, wire: flat, mcp }, setup) }),
  };
}

/**
 * Clients that know no fields but the protocol's put this server's extensions into a member `extra_body`. They count as
 * if written beside the others, which win.
 */
function withExtraBody(body: unknown): unknown {
  return isJsonObject(body) && isJsonObject(body.extra_body) ? { ...body.extra_body, ...body } : body;
}

function toRequest(
  body: MessagesBody,
  { mayHaveMore, ...reading }: Reading & { mayHaveMore: boolean },
): GenerationRequest {
  const { warnings } = reading;
  const tools = toTools(body.tools ?? [], loadedTools(body), reading);
  return defined({
    ...toRequestOptions(body, { user: body.metadata?.user_id }),
    model: body.model,
    prompt: defined({
      type: 'chat' as const,
      messages: toMessages(body, reading),
      tools,
      toolChoice: toToolChoice(body.tool_choice, tools, mayHaveMore),
      parallelToolCalls: toParallelToolCalls(body.tool_choice),
      reasoning: toThinking(body, warnings),
      templateVariables: body.chat_template_kwargs ?? {},
      continueFinalMessage: true,
    }),
    maxTokens: body.max_tokens ?? -1,
    stop: body.stop_sequences,
    outputShape: toOutputShape(body),
  });
}

/** The protocol's rule: without a `thinking` field there is none. The extensions of this server can still ask for it. */
function toThinking(body: MessagesBody, warnings: Warnings): Reasoning {
  const asked = toReasoning(body, body.output_config?.effort);
  if (!body.thinking) return { ...asked, enabled: asked.enabled ?? false };
  const { budget_tokens } = body.thinking;
  const type = takeVendorValue('thinkingType', body.thinking.type, warnings.add.bind(warnings));
  // between_tools stands for no thinking but remarks between calls, which models write anyway.
  const enabled = type === 'enabled' || type === 'adaptive';
  return defined({ ...asked, enabled, budget: budget_tokens ?? asked.budget });
}

function toOutputShape(body: MessagesBody): OutputShape {
  const format = body.output_config?.format ?? body.output_format;
  if (format) return { type: 'json-schema', schema: format.schema, strict: true };
  if (body.json_schema !== undefined) return { type: 'json-schema', schema: body.json_schema };
  if (body.grammar !== undefined) return { type: 'grammar', grammar: body.grammar };
  return { type: 'text' };
}

/** Fields that ask for work which only Anthropic's servers do. */
function unusedFields(body: MessagesBody, withTools: boolean): string[] {
  return (['mcp_servers', 'container', 'context_management'] as const)
    .filter((name) => body[name] !== undefined && !(withTools && name === 'mcp_servers'))
    .map((name) => `${name} was ignored: this server has no such service`);
}
