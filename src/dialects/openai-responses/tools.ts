import { z } from 'zod';
import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Tool } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import { optional, pathName, show, validate } from '../shared/validate.ts';
import { jsonObject } from './items.ts';
import { inputPattern } from './lark.ts';
import { type McpTool, readMcpTool } from './mcp-tools.ts';
import { type DeclaredTool, qualifiedName, ToolDirectory } from './tool-directory.ts';
import { isClientSearch, searchFunction, toolSearchName } from './tool-search.ts';

type Warn = (warning: string) => void;
type Path = readonly PropertyKey[];
type Waits = (tool: JsonObject) => boolean;

const functionTool = z.object({
  type: z.literal('function'),
  name: z.string().min(1),
  description: optional(z.string()),
  parameters: optional(jsonObject),
  strict: optional(z.boolean()),
});
const customTool = z.object({
  type: z.literal('custom'),
  name: z.string().min(1),
  description: optional(z.string()),
  format: optional(z.object({ type: z.string(), syntax: optional(z.string()), definition: optional(z.string()) })),
});
const namespaceTool = z.object({ type: z.literal('namespace'), name: z.string().min(1), tools: z.array(jsonObject) });

type CustomTool = z.output<typeof customTool>;

export interface ToolSet {
  readonly tools: readonly Tool[];
  readonly directory: ToolDirectory;
  /** Servers whose tools this server runs, by their labels. */
  readonly servers: ReadonlyMap<string, McpTool>;
}

/**
 * Tools from `tools` and from items that bring more, one flat list. A name declared twice keeps its last meaning. What is
 * loaded in the course of a conversation stands last, so that the prompt begins as it did before.
 */
export class ToolCollector {
  readonly #tools = new Map<string, Tool>();
  readonly #declared = new Map<string, DeclaredTool>();
  readonly #servers = new Map<string, McpTool>();
  readonly #warn: Warn;
  readonly #withServers: boolean;

  constructor(warn: Warn, withServers: boolean) {
    this.#warn = warn;
    this.#withServers = withServers;
  }

  /** The request's own. Where the client searches for tools, those with `defer_loading` wait until they are found. */
  addOffered(tools: readonly JsonObject[], at: Path, chosen: readonly string[]): void {
    const searches = tools.some(isClientSearch);
    const isChosen = (name: unknown) => chosen.some((one) => one === name);
    const waits = (tool: JsonObject) =>
      searches && tool.defer_loading === true && !isChosen(tool.type === 'mcp' ? tool.server_label : tool.name);
    if (this.#withServers) refuseSameLabels(tools, at);
    this.#addEach(tools, at, undefined, waits);
  }

  addAll(tools: readonly JsonObject[], at: Path): void {
    this.#addEach(tools, at, undefined, () => false);
  }

  result(): ToolSet {
    const directory = new ToolDirectory(this.#declared);
    return { tools: [...this.#tools.values()], directory, servers: this.#servers };
  }

  #addEach(tools: readonly JsonObject[], at: Path, namespace: string | undefined, waits: Waits): void {
    for (const [index, tool] of tools.entries()) if (!waits(tool)) this.#add(tool, [...at, index], namespace, waits);
  }

  #add(tool: JsonObject, at: Path, namespace: string | undefined, waits: Waits): void {
    switch (tool.type) {
      case 'function':
        this.#addFunction(tool, at, namespace);
        return;
      case 'custom':
        this.#addCustom(tool, at, namespace);
        return;
      case 'namespace': {
        const { name, tools } = validate(namespaceTool, tool, at);
        this.#addEach(tools, [...at, 'tools'], qualifiedName(name, namespace), waits);
        return;
      }
      case 'mcp': {
        if (!this.#withServers) break;
        const server = readMcpTool(tool, at);
        this.#servers.set(server.server_label, server);
        return;
      }
      case 'tool_search':
        if (!isClientSearch(tool)) break;
        this.#put(toolSearchName, { kind: 'search', name: toolSearchName }, searchFunction(tool, at));
        return;
    }
    // Tools that run on OpenAI's servers. Clients send them without asking whether the server has them.
    this.#warn(`Tools of type ${JSON.stringify(tool.type ?? null)} run elsewhere and are not offered to the model.`);
  }

  #addFunction(tool: JsonObject, at: Path, namespace: string | undefined): void {
    // Some clients send chat completions' nested form.
    const flat = isJsonObject(tool.function) ? { ...tool.function, type: 'function' } : tool;
    const { name, description, parameters, strict } = validate(functionTool, flat, at);
    const shown = qualifiedName(name, namespace);
    this.#put(shown, defined({ kind: 'function' as const, name, namespace }), {
      ...defined({ name: shown, description, parameters, strict }),
      definition: { type: 'function', function: defined({ name: shown, description, parameters, strict }) },
    });
  }

  #addCustom(tool: JsonObject, at: Path, namespace: string | undefined): void {
    const custom = validate(customTool, tool, at);
    const shown = qualifiedName(custom.name, namespace);
    this.#put(
      shown,
      defined({ kind: 'custom' as const, name: custom.name, namespace }),
      freeformTool(shown, custom, this.#warn),
    );
  }

  #put(shown: string, declared: DeclaredTool, tool: Tool): void {
    const before = this.#tools.get(shown);
    if (before && JSON.stringify(before.definition) !== JSON.stringify(tool.definition))
      this.#warn(`The tool ${JSON.stringify(shown)} is declared more than once; its last declaration counts.`);
    this.#tools.set(shown, tool);
    this.#declared.set(shown, declared);
  }
}

/** Items say which server they are about by its label alone. */
function refuseSameLabels(tools: readonly JsonObject[], at: Path): void {
  const labels = new Set<unknown>();
  for (const [index, { type, server_label: label }] of tools.entries()) {
    if (type !== 'mcp' || label === undefined) continue;
    const param = pathName([...at, index, 'server_label']);
    if (labels.has(label))
      throw new ServeError('invalid_request', `\`${param}\` is ${show(label)} for the second time.`, { param });
    labels.add(label);
  }
}

/**
 * The model is shown a function with one text, `input`. Its grammar goes two ways: as words into the description, because
 * the model has to know it, and as a `pattern` into the schema that its arguments are held to.
 */
function freeformTool(name: string, custom: CustomTool, warn: Warn): Tool {
  const { format } = custom;
  const grammar = format?.type === 'grammar' ? format.definition : undefined;
  const pattern = grammar === undefined ? undefined : inputPattern(format?.syntax, grammar);
  if (grammar !== undefined && pattern === undefined)
    warn(`The grammar of the tool ${JSON.stringify(custom.name)} is not enforced: it is shown to the model as text.`);
  const description = describe(custom.description, format?.syntax, grammar);
  return defined({
    name,
    description,
    parameters: inputSchema(pattern),
    strict: pattern === undefined ? undefined : true,
    definition: { type: 'function', function: defined({ name, description, parameters: inputSchema(undefined) }) },
    freeform: {},
  });
}

function describe(description: string | undefined, syntax: string | undefined, grammar: string | undefined) {
  if (grammar === undefined) return description;
  const rule = `\`input\` follows this ${syntax ?? ''} grammar:\n${grammar}`;
  return description === undefined ? rule : `${description}\n\n${rule}`;
}

function inputSchema(pattern: string | undefined): JsonObject {
  return {
    type: 'object',
    properties: { input: defined({ type: 'string', pattern }) },
    required: ['input'],
    additionalProperties: false,
  };
}
