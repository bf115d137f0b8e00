import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import {
  isCalled,
  type ServerTool,
  type ServerToolWish,
  type ToolSetup,
  type ToolSource,
} from '../../contract/server-tools.ts';
import { defined } from '../shared/defined.ts';
import {
  byToolName,
  mostToolNames,
  placeOf,
  readToolFields,
  refuseConfirmation,
  refuseManyGuests,
  toolNames,
} from '../shared/server-tools.ts';
import { boundedList } from '../shared/text-or-tokens.ts';
import { optional, show, validate } from '../shared/validate.ts';
import { loadedTools } from './loaded-tools.ts';
import type { MessagesBody } from './schema.ts';

const mcpServer = z.object({
  type: z.literal('url'),
  name: z.string().min(1).max(256),
  url: optional(z.string()),
  authorization_token: optional(z.string()),
  /** Of the beta of 2025-04-04; the one of 2025-11-20 says it in `tools`. */
  tool_configuration: optional(z.object({ enabled: optional(z.boolean()), allowed_tools: optional(toolNames) })),
});

const toolConfig = z.object({ enabled: optional(z.boolean()), defer_loading: optional(z.boolean()) });

const toolset = z.object({
  type: z.literal('mcp_toolset'),
  mcp_server_name: z.string().min(1),
  default_config: optional(toolConfig),
  configs: optional(byToolName(toolConfig)),
  /** Its tools as an earlier answer listed them: no others. */
  tools: optional(z.array(z.object({ name: z.string() })).max(mostToolNames)),
});

type McpServer = z.output<typeof mcpServer>;
type Toolset = z.output<typeof toolset>;

export const toolsetType = 'mcp_toolset';

/** What a request says of servers of tools. */
export interface McpServers {
  readonly servers: ReadonlyMap<string, McpServer>;
  readonly toolsets: ReadonlyMap<string, Toolset>;
  /** Those whose tools are wanted. */
  readonly names: readonly string[];
}

/** `mcp_servers` and the toolsets among `tools`, as the types of Anthropic's SDK give both betas. */
export function readMcpServers({ mcp_servers, tools = [] }: MessagesBody): McpServers {
  const listed = mcp_servers === undefined ? [] : validate(boundedList(mcpServer, 100), mcp_servers, ['mcp_servers']);
  const servers = byName(
    listed,
    ({ name }) => name,
    (index) => `mcp_servers[${index}].name`,
  );
  const sets = tools.flatMap((tool, index) =>
    tool.type === 'server' && tool.name === toolsetType ? [validate(toolset, tool.raw, ['tools', index])] : [],
  );
  const toolsets = byName(
    sets,
    ({ mcp_server_name }) => mcp_server_name,
    () => 'tools',
  );
  const unused = [...servers.keys()].find((name) => toolsets.size > 0 && !toolsets.has(name));
  if (unused !== undefined)
    throw new ServeError(
      'invalid_request',
      `\`mcp_servers\` has ${show(unused)}, but no mcp_toolset in \`tools\` names it.`,
      { param: 'mcp_servers' },
    );
  const isOn = (name: string) => servers.get(name)?.tool_configuration?.enabled !== false;
  return { servers, toolsets, names: [...new Set([...servers.keys(), ...toolsets.keys()])].filter(isOn) };
}

function byName<Entry>(
  entries: readonly Entry[],
  nameOf: (entry: Entry) => string,
  paramOf: (index: number) => string,
): ReadonlyMap<string, Entry> {
  const found = new Map<string, Entry>();
  for (const [index, entry] of entries.entries()) {
    const name = nameOf(entry);
    const param = paramOf(index);
    if (found.has(name))
      throw new ServeError('invalid_request', `\`${param}\` names ${show(name)} for the second time.`, { param });
    found.set(name, entry);
  }
  return found;
}

interface Asked {
  readonly body: MessagesBody;
  readonly wire: unknown;
  readonly mcp: McpServers;
}

/** What the request wants of the tools that this server runs. */
export function toWish({ body, wire, mcp }: Asked, setup: ToolSetup): ServerToolWish | 'off' | undefined {
  const { off, asked, wish } = readToolFields(wire);
  if (off) return 'off';
  refuseConfirmation(wish, 'Leave it out, or ask there.');
  if (mcp.names.length === 0) return asked ? wish : undefined;
  const loaded = loadedTools(body);
  const hosted = (body.tools ?? []).some(({ type, name }) => type === 'server' && name.startsWith('tool_search_tool_'));
  const sources = mcp.names.map((name): ToolSource => {
    const { url, authorization_token: token } = mcp.servers.get(name) ?? {};
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const place = placeOf({ name, param: mcp.servers.has(name) ? 'mcp_servers' : 'tools', url, headers }, setup);
    const source = toSource(name, mcp, hosted ? 'all' : loaded);
    return place ? { ...source, place } : source;
  });
  refuseManyGuests(sources);
  const configured = sources.filter(({ place }) => place === undefined).map(({ server }) => server);
  const { tool_choice: choice } = body;
  return defined({
    ...wish,
    sources,
    chosen: choice?.type === 'tool' ? mcp.names.map((server) => ({ server, name: choice.name })) : [],
    warnings: [...mcp.servers.values()].flatMap((server) =>
      configured.includes(server.name) ? unusedToken(server) : [],
    ),
  });
}

function toSource(server: string, { servers, toolsets }: McpServers, loaded: readonly string[] | 'all'): ToolSource {
  const allowed = servers.get(server)?.tool_configuration?.allowed_tools;
  const { default_config: common, configs = {}, tools: pinned } = toolsets.get(server) ?? {};
  const configOf = (tool: ServerTool) => Object.entries(configs).find(([name]) => isCalled(tool, [name]))?.[1];
  const waits = (tool: ServerTool) =>
    loaded !== 'all' && (configOf(tool)?.defer_loading ?? common?.defer_loading ?? false);
  const place = (tool: ServerTool) => (loaded === 'all' ? -1 : loaded.findIndex((name) => isCalled(tool, [name])));
  const offers = (tool: ServerTool) => {
    const own = configOf(tool);
    if (!(own?.enabled ?? common?.enabled ?? true)) return false;
    if (allowed && !isCalled(tool, allowed)) return false;
    if (pinned && !pinned.some(({ name }) => isCalled(tool, [name]))) return false;
    return !waits(tool) || place(tool) >= 0;
  };
  const loadedAt = (tool: ServerTool) => (waits(tool) ? place(tool) : undefined);
  // Named and enabled, or only named: what is switched off need not be there.
  const named = Object.entries(configs).flatMap(([name, { enabled, defer_loading }]) =>
    enabled !== false && !(defer_loading ?? common?.defer_loading) ? [name] : [],
  );
  // The protocol has no place to say that there are none.
  return { server, offers, loadedAt, asks: () => false, required: true, named: [...(allowed ?? []), ...named] };
}

/** A configured server is reached as its configuration says. */
function unusedToken({ name, authorization_token: token }: McpServer): string[] {
  return token === undefined
    ? []
    : [`The authorization_token for ${name} was not used: that server is one of the configuration.`];
}
