import type { Tool, ToolChoice } from '../contract/request.ts';

/** Prefixes that models put before a tool's name. */
const prefixes = ['functions.', 'functions::', 'function.', 'tools.', 'tool.'];

export interface ToolNames {
  /** The name under which the tool was offered; undefined when it was not. */
  offered(name: string): string | undefined;
  /** Whether a name that begins so, however it goes on, can be offered. */
  mayBecomeOffered(beginning: string): boolean;
  tool(name: string): Tool | undefined;
  /** Characters of the longest name that can be a call. */
  readonly longestName: number;
}

/** Which names are calls. Without the check every name is, except the empty one. */
export function toolNames(tools: readonly Tool[], choice: ToolChoice, check: boolean): ToolNames {
  const allowed = choice.type === 'allowed' ? new Set(choice.names) : undefined;
  const byName = new Map(tools.filter(({ name }) => allowed?.has(name) ?? true).map((tool) => [tool.name, tool]));
  const spellings = [...byName.keys()].flatMap((name) => ['', ...prefixes].map((prefix) => prefix + name));
  return {
    mayBecomeOffered(beginning) {
      const written = beginning.trim();
      return !check || spellings.some((name) => name.startsWith(written));
    },
    tool: (name) => byName.get(name),
    longestName: check ? Math.max(0, ...[...byName.keys()].map(({ length }) => length)) : 64,
    offered(written) {
      const name = written.trim();
      if (byName.has(name)) return name;
      const bare = name.slice(prefixes.find((prefix) => name.startsWith(prefix))?.length ?? 0);
      if (byName.has(bare)) return bare;
      return check || bare === '' ? undefined : bare;
    },
  };
}
