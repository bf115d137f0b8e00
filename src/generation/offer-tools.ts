import { ServeError } from '../contract/errors.ts';
import type { ToolListEvent } from '../contract/events.ts';
import type { ChatPrompt, GenerationRequest, Message, Tool, ToolCall, ToolChoice } from '../contract/request.ts';
import {
  isCalled,
  isNamed,
  type ServerTool,
  type ServerToolWish,
  serversOf,
  type ToolGuest,
  type ToolHost,
  type ToolSource,
} from '../contract/server-tools.ts';
import { nameTools, type OfferedTools, toTool } from './offered-tools.ts';

/** A request that wants the server's tools. */
export interface ToolRequest extends GenerationRequest {
  readonly prompt: ChatPrompt;
  readonly serverTools: ServerToolWish;
}

export function wantsTools(request: GenerationRequest): request is ToolRequest {
  return request.serverTools !== undefined && request.prompt.type === 'chat';
}

export interface Offer {
  readonly request: ToolRequest;
  readonly offered: OfferedTools;
  /** What the client is to be told of the servers that it named. */
  readonly lists: readonly ToolListEvent[];
  readonly warnings: readonly string[];
  /** Calls of it wait for the client's next request. */
  asks(tool: ServerTool): boolean;
  readonly call: ToolHost['call'];
  /** Lets go of the servers that the request brought along. */
  close(): Promise<void>;
}

/** The request as the model gets it: the server's tools after the client's own, calls under the names that they have. */
export async function offerTools(request: ToolRequest, host: ToolHost, signal: AbortSignal): Promise<Offer> {
  const guests = new Map<string, ToolGuest>();
  const close = async () => void (await Promise.all([...guests.values()].map((guest) => guest.close())));
  try {
    const found = await findTools(request.serverTools, { host, guests, signal });
    const call: ToolHost['call'] = (tool, ...more) => (guests.get(tool.server) ?? host).call(tool, ...more);
    return { ...offerOf(request, found), call, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function offerOf(request: ToolRequest, { found, lists, missing }: Found): Omit<Offer, 'call' | 'close'> {
  const { serverTools, prompt } = request;
  const offered = nameTools(found, prompt.tools);
  const tools = [
    ...prompt.tools,
    ...[...offered].map(([name, tool]) => toTool(name, tool, loadedAt(tool, serverTools))),
  ];
  const toolChoice = withChosen(asOfferedNames(prompt, offered), offered, serverTools);
  refuseImpossible(toolChoice, tools);
  const messages = nameCalls(prompt.messages, offered);
  const warnings = [
    ...(serverTools.warnings ?? []),
    ...missing.map((name) => `This server has no tool ${JSON.stringify(name)} to run just now.`),
  ];
  const asking = new Set(serverTools.sources?.filter(({ asks }) => found.some(asks)));
  return {
    request: { ...request, prompt: { ...prompt, messages, tools: lateLast(tools), toolChoice } },
    offered,
    lists,
    warnings,
    asks: (tool) => [...asking].some(({ server, asks }) => server === tool.server && asks(tool)),
  };
}

function loadedAt(tool: ServerTool, { sources = [] }: ServerToolWish): number | undefined {
  return sources.find(({ server }) => server === tool.server)?.loadedAt?.(tool);
}

/** In the order of their coming, after those that were there from the first. */
function lateLast(tools: readonly Tool[]): readonly Tool[] {
  const late = tools.filter((tool) => tool.loadedAt !== undefined);
  if (late.length === 0) return tools;
  const byPlace = late.toSorted((left, right) => (left.loadedAt ?? 0) - (right.loadedAt ?? 0));
  return [...tools.filter((tool) => tool.loadedAt === undefined), ...byPlace];
}

/** With the tools that a generation would offer. */
export async function asOffered(
  host: ToolHost | undefined,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<GenerationRequest> {
  if (!host || !wantsTools(request)) return request;
  const offer = await offerTools(request, host, signal);
  await offer.close();
  return offer.request;
}

interface Found {
  readonly found: readonly ServerTool[];
  readonly lists: readonly ToolListEvent[];
  /** Names that the client gave and no tool has. */
  readonly missing: readonly string[];
}

interface Search {
  readonly host: ToolHost;
  /** Servers that the request brings along are put here. */
  readonly guests: Map<string, ToolGuest>;
  readonly signal: AbortSignal;
}

async function findTools({ sources, enabled }: ServerToolWish, search: Search): Promise<Found> {
  if (sources) return findInSources(sources, search);
  const servers =
    enabled &&
    serversOf(
      enabled,
      search.host.report().map(({ name }) => name),
    );
  const all = await search.host.tools(servers, search.signal);
  const found = enabled ? all.filter((tool) => isNamed(tool, enabled)) : all;
  return { found, lists: [], missing: (enabled ?? []).filter((name) => !found.some((tool) => isNamed(tool, [name]))) };
}

async function findInSources(sources: readonly ToolSource[], search: Search): Promise<Found> {
  const each = await Promise.all(
    sources.map(async (source) => {
      const { server, offers, description, named = [] } = source;
      const { all, problem } = await toolsOf(source, search);
      const found = all.filter(offers).map((tool) => describedBy(description, tool));
      if (problem !== undefined && source.required) throw new ServeError('invalid_request', problem);
      const list = { type: 'tool-list', server, tools: found, ...(problem !== undefined && { problem }) } as const;
      return {
        found,
        list: source.told && problem === undefined ? [] : [list],
        missing: named.filter((name) => !found.some((tool) => isCalled(tool, [name]))),
      };
    }),
  );
  return {
    found: each.flatMap(({ found }) => found),
    lists: each.flatMap(({ list }) => list),
    missing: each.flatMap(({ missing }) => missing),
  };
}

interface Listed {
  readonly all: readonly ServerTool[];
  /** Why there are none. */
  readonly problem: string | undefined;
}

async function toolsOf({ server, place }: ToolSource, { host, guests, signal }: Search): Promise<Listed> {
  if (!place) {
    const all = await host.tools([server], signal);
    const report = host.report().find(({ name }) => name === server);
    return { all, problem: all.length === 0 ? report?.problem : undefined };
  }
  const guest = host.guest?.(server, place);
  if (!guest) return { all: [], problem: `${server} cannot be reached from here.` };
  guests.set(server, guest);
  try {
    return { all: await guest.tools(signal), problem: undefined };
  } catch (error) {
    signal.throwIfAborted();
    return { all: [], problem: error instanceof Error ? error.message : String(error) };
  }
}

function describedBy(words: string | undefined, tool: ServerTool): ServerTool {
  if (words === undefined) return tool;
  const description = [tool.description, `(${tool.server}: ${words})`].filter((part) => part !== undefined).join(' ');
  return { ...tool, description };
}

/** Names of the server's tools may be told in either spelling; those of the client's own tools are only theirs. */
function asOfferedNames({ toolChoice: choice, tools }: ChatPrompt, offered: OfferedTools): ToolChoice {
  const shown = (name: string) => {
    if (offered.has(name) || tools.some((tool) => tool.name === name)) return name;
    return [...offered].find(([, tool]) => isCalled(tool, [name]))?.[0] ?? name;
  };
  switch (choice.type) {
    case 'function':
      return { ...choice, name: shown(choice.name) };
    case 'allowed':
      return { ...choice, names: choice.names.map(shown) };
    case 'auto':
    case 'none':
    case 'required':
      return choice;
    default:
      return choice satisfies never;
  }
}

function withChosen(choice: ToolChoice, offered: OfferedTools, { chosen = [] }: ServerToolWish): ToolChoice {
  if (choice.type !== 'allowed' || chosen.length === 0) return choice;
  const isChosen = (tool: ServerTool) =>
    chosen.some(({ server, name }) => server === tool.server && (name === undefined || isCalled(tool, [name])));
  const names = [...offered].flatMap(([name, tool]) => (isChosen(tool) ? [name] : []));
  const [first] = chosen;
  if (names.length > 0 || choice.names.length > 0 || choice.mode === 'auto' || !first)
    return { ...choice, names: [...choice.names, ...names] };
  throw impossible(`a tool of ${JSON.stringify(first.name ?? first.server)}`);
}

/** Which tools there are is known only now. */
function refuseImpossible(choice: ToolChoice, tools: readonly Tool[]): void {
  if (choice.type === 'auto' || choice.type === 'none') return;
  const names = choice.type === 'function' ? [choice.name] : choice.type === 'allowed' ? choice.names : [];
  const missing = names.find((name) => !tools.some((tool) => tool.name === name));
  if (missing !== undefined) throw impossible(`the tool ${JSON.stringify(missing)}`);
  if (tools.length === 0 && (choice.type !== 'allowed' || choice.mode === 'required')) throw impossible('a call');
}

function impossible(what: string): ServeError {
  return new ServeError(
    'invalid_request',
    `\`tool_choice\` asks for ${what}, which neither the request nor this server offers just now. GET /api/mcp tells what it has.`,
    { param: 'tool_choice' },
  );
}

/** Calls that come back in the conversation, under the names by which the model made them. */
function nameCalls(messages: readonly Message[], offered: OfferedTools): readonly Message[] {
  const names = new Map([...offered].map(([name, tool]) => [JSON.stringify([tool.server, tool.name]), name]));
  const shown = ({ server, name }: ToolCall) =>
    server === undefined ? undefined : names.get(JSON.stringify([server, name]));
  const renamed = new Map<string, string>();
  return messages.map((message) => {
    if (message.role === 'assistant' && message.toolCalls?.some(({ server }) => server !== undefined)) {
      const toolCalls = message.toolCalls.map((call) => ({ ...call, name: shown(call) ?? call.name }));
      for (const { id, name } of toolCalls) renamed.set(id, name);
      return { ...message, toolCalls };
    }
    if (message.role !== 'tool') return message;
    const name = renamed.get(message.toolCallId);
    return name === undefined ? message : { ...message, name };
  });
}
