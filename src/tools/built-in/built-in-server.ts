import type { PublicWeb } from '../../contract/public-web.ts';
import { type BuiltInToolName, builtInServer } from '../../contract/server-tools.ts';
import { CallFailure } from '../call-failure.ts';
import type { ToolServer } from '../host.ts';
import type { BuiltInTool } from './built-in-tool.ts';
import { calculatorTool } from './calculator.ts';
import { fetchTool } from './fetch.ts';
import type { Converter } from './page-text.ts';
import { timeTool } from './time.ts';
import { webSearchTool } from './web-search.ts';

export interface BuiltInOptions {
  readonly names: readonly BuiltInToolName[];
  readonly unixMilliseconds: () => number;
  /** Of this machine: what is told where a call names none. */
  readonly timeZone: string;
  readonly web: PublicWeb;
  readonly convert: Converter;
  /** Of web_search, which is not there without. */
  readonly searchUrl: string | undefined;
}

/** The tools that need no server of their own, under the interface that those of the configuration have. */
export function createBuiltInServer(options: BuiltInOptions): ToolServer {
  const running = new Map(createTools(options).map((each) => [each.tool.name, each]));
  const tools = [...running.values()].map(({ tool }) => tool);
  const report = () => ({ name: builtInServer, transport: 'built-in', state: 'ready', tools }) as const;
  return {
    name: builtInServer,
    report,
    tools: async () => tools,
    async call(name, args, limits) {
      const found = running.get(name);
      if (!found) throw new CallFailure('There is no such tool.');
      limits.signal.throwIfAborted();
      return found.run(args, limits);
    },
    restart: async () => report(),
    close: async () => undefined,
  };
}

function createTools(options: BuiltInOptions): readonly BuiltInTool[] {
  return [...new Set(options.names)].map((name) => {
    switch (name) {
      case 'time':
        return timeTool(options);
      case 'calculator':
        return calculatorTool();
      case 'fetch':
        return fetchTool(options);
      case 'web_search': {
        const { searchUrl } = options;
        if (searchUrl === undefined) throw new Error('web_search has no address');
        return webSearchTool({ searchUrl });
      }
      default:
        return name satisfies never;
    }
  });
}
