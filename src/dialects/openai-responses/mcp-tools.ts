import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import { type GuestPlace, isCalled, type ServerTool, type ToolSource } from '../../contract/server-tools.ts';
import { toolNames } from '../shared/server-tools.ts';
import { optional, pathName, validate } from '../shared/validate.ts';

/** `McpToolFilter`: a tool matches by its name, and by what it says of itself. */
const toolFilter = z.object({ read_only: optional(z.boolean()), tool_names: optional(toolNames) });

const mcpTool = z.object({
  type: z.literal('mcp'),
  server_label: z.string().min(1).max(256),
  server_url: optional(z.string()),
  server_description: optional(z.string()),
  connector_id: optional(z.string()),
  tunnel_id: optional(z.string()),
  allowed_tools: optional(z.union([toolNames, toolFilter])),
  allowed_callers: optional(z.array(z.string())),
  require_approval: optional(
    z.union([z.enum(['always', 'never']), z.object({ always: optional(toolFilter), never: optional(toolFilter) })]),
  ),
  headers: optional(z.record(z.string(), z.string())),
  authorization: optional(z.string()),
  defer_loading: optional(z.boolean()),
});

export type McpTool = z.output<typeof mcpTool>;
type ToolFilter = z.output<typeof toolFilter>;

/** `{type: "mcp"}` of the types of OpenAI's SDK. What runs on OpenAI's servers alone is refused. */
export function readMcpTool(tool: JsonObject, at: readonly PropertyKey[]): McpTool {
  const read = validate(mcpTool, tool, at);
  const elsewhere = (['connector_id', 'tunnel_id'] as const).find((member) => read[member] !== undefined);
  if (elsewhere)
    throw unsupported(
      [...at, elsewhere],
      "names a service of OpenAI's. Put its server into --mcp-config, and its name there into `server_label`.",
    );
  if (read.allowed_callers && !read.allowed_callers.includes('direct'))
    throw unsupported([...at, 'allowed_callers'], 'leaves calls to programs, which are not run here. Allow "direct".');
  return read;
}

function unsupported(at: readonly PropertyKey[], sentence: string): ServeError {
  const param = pathName(at);
  return new ServeError('unsupported_parameter', `\`${param}\` ${sentence}`, { param });
}

/** What the request wants of this server. `told`: its tools were listed in the conversation. */
export function toSource(
  tool: McpTool,
  { told, place }: { readonly told: boolean; readonly place: GuestPlace | undefined },
): ToolSource {
  const { server_label: server, server_description: description, allowed_tools: allowed } = tool;
  const named = Array.isArray(allowed) ? allowed : allowed?.tool_names;
  return {
    server,
    ...(place && { place }),
    offers: (each) =>
      allowed === undefined || matches(each, Array.isArray(allowed) ? { tool_names: allowed } : allowed),
    asks: (each) => asksFor(each, tool.require_approval),
    told,
    ...(description !== undefined && { description }),
    ...(named && { named }),
  };
}

/**
 * Without a word every call needs approval, as in OpenAI's API. Of a filter, `always` goes before `never`; a tool that
 * neither has needs it unless `always` stands alone.
 */
function asksFor(tool: ServerTool, rule: McpTool['require_approval'] = 'always'): boolean {
  if (typeof rule === 'string') return rule === 'always';
  const always = meaningful(rule.always);
  const never = meaningful(rule.never);
  if (always && matches(tool, always)) return true;
  if (never) return !matches(tool, never);
  return always === undefined;
}

/** Clients that convert their settings send lists without a name in them. */
function meaningful(filter: ToolFilter | undefined): ToolFilter | undefined {
  const isEmpty = filter?.read_only === undefined && (filter?.tool_names ?? []).length === 0;
  return isEmpty ? undefined : filter;
}

function matches(tool: ServerTool, { read_only, tool_names }: Partial<ToolFilter>): boolean {
  if (read_only !== undefined && tool.readOnly !== read_only) return false;
  return tool_names === undefined || isCalled(tool, tool_names);
}

/** As response objects repeat it: without what only that server is to read. */
export function shownMcpTool(tool: JsonObject): JsonObject {
  const { authorization: _, headers, ...shown } = tool;
  return headers === undefined ? shown : { ...shown, headers: null };
}
