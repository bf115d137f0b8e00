import { z } from 'zod';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { Tool } from '../../contract/request.ts';
import { optional, validate } from '../shared/validate.ts';
import { jsonObject } from './items.ts';
import { qualifiedName } from './tool-directory.ts';

/**
 * `tool_search` that the client runs (Codex, where MCP servers bring many tools): the model is shown a function, its call
 * goes out as a `tool_search_call`, and what was found comes back as a `tool_search_output` with the definitions.
 */
export const toolSearchName = 'tool_search';

const searchTool = z.object({ description: optional(z.string()), parameters: optional(jsonObject) });

/** OpenAI's own search, the default, runs on its servers. */
export function isClientSearch(tool: JsonObject): boolean {
  return tool.type === 'tool_search' && tool.execution === 'client';
}

export function searchFunction(tool: JsonObject, at: readonly PropertyKey[]): Tool {
  const { description = defaultDescription, parameters = defaultParameters } = validate(searchTool, tool, at);
  const facts = { name: toolSearchName, description, parameters };
  return { ...facts, definition: { type: 'function', function: facts } };
}

const defaultDescription = 'Searches for tools. Those that are found can be called afterwards.';
const defaultParameters: JsonObject = {
  type: 'object',
  properties: { query: { type: 'string' } },
  required: ['query'],
};

/** The names under which the model is shown these tools. */
export function shownNames(tools: readonly JsonObject[], namespace?: string): readonly string[] {
  return tools.flatMap((tool) => {
    const { name } = isJsonObject(tool.function) ? tool.function : tool;
    if (typeof name !== 'string') return [];
    const shown = qualifiedName(name, namespace);
    return tool.type === 'namespace' ? shownNames(objectsIn(tool.tools), shown) : [shown];
  });
}

function objectsIn(value: JsonValue | undefined): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}
