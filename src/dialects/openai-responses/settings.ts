import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { ResponsesBody } from './body.ts';
import { shownMcpTool } from './mcp-tools.ts';

/** The request's settings as every response object repeats them, with the API's defaults where nothing was asked. */
export type ResponseSettings = JsonObject;

interface SettingsOptions {
  readonly canStore: boolean;
  readonly withTools: boolean;
}

export function toSettings(
  request: ResponsesBody,
  body: unknown,
  { canStore, withTools }: SettingsOptions,
): ResponseSettings {
  const tools = request.tools ?? [];
  return {
    background: request.background ?? false,
    instructions: instructionsOf(request),
    max_output_tokens: request.max_output_tokens ?? null,
    max_tool_calls: request.max_tool_calls ?? null,
    parallel_tool_calls: request.parallel_tool_calls ?? true,
    previous_response_id: request.previous_response_id ?? null,
    prompt_cache_key: request.prompt_cache_key,
    reasoning: { effort: request.reasoning?.effort ?? null, summary: request.reasoning?.summary ?? null },
    safety_identifier: request.safety_identifier,
    // What was really served: there is one tier, whatever was asked for.
    service_tier: 'default',
    store: canStore && (request.store ?? true),
    temperature: request.temperature ?? 1,
    top_p: request.top_p ?? 1,
    presence_penalty: request.presence_penalty ?? 0,
    frequency_penalty: request.frequency_penalty ?? 0,
    top_logprobs: request.top_logprobs ?? 0,
    text: textOf(request, body),
    tool_choice: request.tool_choice ?? 'auto',
    tools: withTools ? tools.map((tool) => (tool.type === 'mcp' ? shownMcpTool(tool) : tool)) : tools,
    truncation: request.truncation ?? 'disabled',
    metadata: request.metadata ?? {},
    user: request.user,
  };
}

function instructionsOf({ instructions }: ResponsesBody) {
  if (instructions === undefined || typeof instructions === 'string') return instructions ?? null;
  return instructions.map((item) => item.raw);
}

/** The format as it was sent, with the fields that only the client reads. */
function textOf({ text }: ResponsesBody, body: unknown): JsonObject {
  const sent = isJsonObject(body) && isJsonObject(body.text) ? body.text.format : undefined;
  return { format: sent ?? { type: 'text' }, verbosity: text?.verbosity ?? 'medium' };
}
