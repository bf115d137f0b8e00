import { ServeError } from '../../contract/errors.ts';
import type { Tool, ToolChoice } from '../../contract/request.ts';
import { defined } from '../shared/defined.ts';
import type { Reading, Warnings } from './conversation.ts';
import { toolsetType } from './mcp-servers.ts';
import type { MessagesBody, WireTool } from './schema.ts';

type CustomTool = Extract<WireTool, { type: 'custom' }>;

/**
 * The custom tools: those that need no loading, then those of `loaded`, in its order. Others run on Anthropic's servers
 * or have schemas that only its models know: they are left out. Where it is Anthropic that would search for tools, nobody
 * does, so nothing waits to be found.
 */
export function toTools(
  tools: readonly WireTool[],
  loaded: readonly string[],
  { warnings, withTools }: Reading,
): Tool[] {
  const hosted = tools.some((tool) => tool.type === 'server' && tool.name.startsWith('tool_search_tool_'));
  const custom = customTools(withTools ? tools.filter((tool) => !isToolset(tool)) : tools, warnings);
  const waits = (tool: CustomTool) => tool.defer_loading === true && !hosted;
  const waiting = new Map(custom.filter(waits).map((tool) => [tool.name, tool]));
  const offered = custom.filter((tool) => !waits(tool));
  const found = loaded.flatMap((name, loadedAt) => {
    const tool = waiting.get(name);
    return tool ? [{ ...toTool(tool), loadedAt }] : [];
  });
  return [...offered.map(toTool), ...found];
}

/** Of a server whose tools are run here. */
function isToolset({ type, name }: WireTool): boolean {
  return type === 'server' && name === toolsetType;
}

function customTools(tools: readonly WireTool[], warnings: Warnings): readonly CustomTool[] {
  const seen = new Set<string>();
  return tools.flatMap((tool, index) => {
    if (tool.type === 'server') {
      warnings.add(`the tool ${tool.name} was left out: only custom tools can be used here`);
      return [];
    }
    if (seen.has(tool.name))
      throw invalid(
        `\`tools[${index}].name\` is "${tool.name}" for the second time, but every tool needs a name of its own.`,
        `tools[${index}].name`,
      );
    seen.add(tool.name);
    return [tool];
  });
}

function toTool(tool: CustomTool): Tool {
  const facts = defined({ name: tool.name, description: tool.description, parameters: tool.input_schema });
  return defined({ ...facts, strict: tool.strict, definition: { type: 'function', function: facts } });
}

/**
 * What may be called: `any` and `tool` make a call certain, so there must be something to call. `mayHaveMore`: tools of
 * servers, which are known later.
 */
export function toToolChoice(
  choice: MessagesBody['tool_choice'],
  tools: readonly Tool[],
  mayHaveMore: boolean,
): ToolChoice {
  switch (choice?.type) {
    case undefined:
    case 'auto':
      return { type: 'auto' };
    case 'none':
      return { type: 'none' };
    case 'any':
      if (tools.length === 0 && !mayHaveMore)
        throw invalid('`tool_choice` is "any", but `tools` has no custom tool to call.', 'tool_choice');
      return { type: 'required' };
    case 'tool': {
      const names = tools.map((tool) => tool.name);
      if (!names.includes(choice.name) && mayHaveMore) return { type: 'allowed', mode: 'required', names: [] };
      if (!names.includes(choice.name))
        throw invalid(
          `\`tool_choice.name\` is "${choice.name}", but \`tools\` has ${names.length === 0 ? 'no custom tool' : `only ${names.join(', ')}`}.`,
          'tool_choice.name',
        );
      return { type: 'function', name: choice.name };
    }
    default:
      return choice satisfies never;
  }
}

export function toParallelToolCalls(choice: MessagesBody['tool_choice']): boolean | undefined {
  return choice && 'disable_parallel_tool_use' in choice && choice.disable_parallel_tool_use ? false : undefined;
}

function invalid(message: string, param: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
