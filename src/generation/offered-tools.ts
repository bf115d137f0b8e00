import type { JsonObject } from '../contract/json.ts';
import type { Tool } from '../contract/request.ts';
import { longToolName, maxToolNameLength, plainToolName, type ServerTool } from '../contract/server-tools.ts';

/** Server tools under the names by which the model calls them. */
export type OfferedTools = ReadonlyMap<string, ServerTool>;

/**
 * A tool keeps its own name where it is nobody else's; where two servers have one of that name, each has `server__name`.
 * The client's own tools keep theirs in any case. Names are made of letters that every family and API takes.
 */
export function nameTools(tools: readonly ServerTool[], clientTools: readonly Pick<Tool, 'name'>[]): OfferedTools {
  const taken = new Set(clientTools.map(({ name }) => name));
  const counts = new Map<string, number>();
  for (const { name } of tools) counts.set(plainToolName(name), (counts.get(plainToolName(name)) ?? 0) + 1);
  const named = new Map<string, ServerTool>();
  for (const tool of tools) {
    const own = plainToolName(tool.name);
    const wanted = counts.get(own) === 1 && !taken.has(own) ? own : longToolName(tool);
    const name = firstFree(wanted, taken);
    taken.add(name);
    named.set(name, tool);
  }
  return named;
}

/** As templates and grammars take tools that clients bring. */
export function toTool(name: string, { description, parameters }: ServerTool, loadedAt?: number): Tool {
  const wire: JsonObject = { name, ...(description !== undefined && { description }), parameters };
  return {
    name,
    ...(description !== undefined && { description }),
    parameters,
    ...(loadedAt !== undefined && { loadedAt }),
    definition: { type: 'function', function: wire },
  };
}

function firstFree(wanted: string, taken: ReadonlySet<string>): string {
  for (let count = 1; ; count++) {
    const end = count === 1 ? '' : `_${count}`;
    const name = wanted.slice(0, maxToolNameLength - end.length) + end;
    if (!taken.has(name)) return name;
  }
}
