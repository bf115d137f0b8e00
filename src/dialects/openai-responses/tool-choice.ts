import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject, type JsonValue } from '../../contract/json.ts';
import type { ToolChoice } from '../../contract/request.ts';
import { qualifiedName } from './tool-directory.ts';
import { toolSearchName } from './tool-search.ts';
import type { ToolSet } from './tools.ts';

type Warn = (warning: string) => void;
type Asked = 'none' | 'auto' | 'required' | JsonObject | undefined;

/** All forms of `tool_choice`. One that names a hosted tool is as good as none: that tool is not offered. */
export function toToolChoice(asked: Asked, tools: ToolSet, warn: Warn): ToolChoice {
  if (asked === undefined) return { type: 'auto' };
  if (asked === 'required' && tools.tools.length === 0 && tools.servers.size === 0)
    throw new ServeError('invalid_request', '`tool_choice` asks for a call, but no tool is offered to the model.', {
      param: 'tool_choice',
    });
  if (typeof asked === 'string') return { type: asked };
  switch (asked.type) {
    case 'function':
    case 'custom':
      return { type: 'function', name: knownName(asked, tools, 'tool_choice') };
    case 'tool_search':
      if (tools.tools.every((tool) => tool.name !== toolSearchName)) break;
      return { type: 'function', name: toolSearchName };
    case 'mcp':
      if (tools.servers.size === 0) break;
      knownServer(asked, tools, 'tool_choice');
      return { type: 'allowed', mode: 'required', names: [] };
    case 'allowed_tools':
      return allowedTools(asked, tools, warn);
    default:
      break;
  }
  warn(`tool_choice of type ${JSON.stringify(asked.type ?? null)} is not supported and counts as "auto".`);
  return { type: 'auto' };
}

/** The servers' tools that the choice names, or all of a server. */
export function chosenServerTools(asked: Asked): readonly { readonly server: string; readonly name?: string }[] {
  if (!isJsonObject(asked)) return [];
  return [asked, ...list(asked.tools)].flatMap((tool) => {
    if (!isJsonObject(tool) || tool.type !== 'mcp' || typeof tool.server_label !== 'string') return [];
    const { server_label: server, name } = tool;
    return [typeof name === 'string' ? { server, name } : { server }];
  });
}

function knownServer({ server_label: label }: JsonObject, { servers }: ToolSet, param: string): void {
  if (typeof label === 'string' && servers.has(label)) return;
  throw new ServeError(
    'invalid_request',
    `\`${param}.server_label\` is ${JSON.stringify(label ?? null)}, which is not among the servers of this request: ${[...servers.keys()].join(', ')}.`,
    { param: `${param}.server_label` },
  );
}

/** The tools that the choice names, as the client named them: they are offered, even if they would wait to be found. */
export function chosenNames(asked: Asked): readonly string[] {
  if (!isJsonObject(asked)) return [];
  return [asked, ...list(asked.tools)].flatMap((tool) =>
    isJsonObject(tool) ? [tool.name, tool.server_label].filter((name) => typeof name === 'string') : [],
  );
}

function allowedTools(asked: JsonObject, tools: ToolSet, warn: Warn): ToolChoice {
  const names = list(asked.tools).flatMap((tool, index) => {
    if (isJsonObject(tool) && (tool.type === 'function' || tool.type === 'custom'))
      return [knownName(tool, tools, `tool_choice.tools[${index}]`)];
    if (isJsonObject(tool) && tool.type === 'tool_search' && tools.tools.some(({ name }) => name === toolSearchName))
      return [toolSearchName];
    if (isJsonObject(tool) && tool.type === 'mcp' && tools.servers.size > 0) {
      knownServer(tool, tools, `tool_choice.tools[${index}]`);
      return [];
    }
    warn('tool_choice allows hosted tools, which are not offered to the model.');
    return [];
  });
  return { type: 'allowed', mode: asked.mode === 'required' ? 'required' : 'auto', names };
}

function knownName(choice: JsonObject, { tools, directory }: ToolSet, param: string): string {
  const name = typeof choice.name === 'string' ? choice.name : nestedName(choice);
  const namespace = typeof choice.namespace === 'string' ? choice.namespace : undefined;
  const declared = directory.find(qualifiedName(name, namespace));
  const shown = qualifiedName(declared.name, declared.namespace);
  if (tools.some((tool) => tool.name === shown)) return shown;
  const known = tools.map((tool) => tool.name).join(', ') || 'there are none';
  throw new ServeError(
    'invalid_request',
    `\`${param}\` names ${JSON.stringify(name)}, which is not among the tools of this request: ${known}.`,
    { param },
  );
}

/** Chat completions' form: `{type: "function", function: {name}}`. */
function nestedName(choice: JsonObject): string {
  const { function: nested } = choice;
  return isJsonObject(nested) && typeof nested.name === 'string' ? nested.name : '';
}

function list(value: JsonValue | undefined): readonly JsonValue[] {
  return Array.isArray(value) ? value : [];
}
