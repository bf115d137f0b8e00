import type { PublicWeb } from '../contract/public-web.ts';
import type { BuiltInToolName, ToolHost, ToolServerConfig } from '../contract/server-tools.ts';
import type { Clock, Telemetry, Timers } from '../contract/services.ts';
import { createToolHost, type ToolServer } from './host.ts';

/** What the flags want of tools. */
export interface ToolsWish {
  /** Of --mcp-config. */
  readonly toolServers: readonly ToolServerConfig[] | undefined;
  readonly mcpAllowUrls: boolean;
  readonly toolAllow: readonly string[];
  /** The built-in ones. */
  readonly tool: readonly BuiltInToolName[];
  readonly webSearchUrl: string | undefined;
}

export interface ToolsMeans {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly unixMilliseconds: () => number;
  readonly web: PublicWeb;
  readonly log: Telemetry['log'];
  readonly version: string;
  /** The compiled file of the thread that makes text of pages. */
  readonly pageWorker: URL;
}

/** The server's own tools. Loaded where a flag asks for some, and else no file of this room. */
export async function openTools(wish: ToolsWish, means: ToolsMeans): Promise<ToolHost> {
  const { toolServers, mcpAllowUrls, toolAllow } = wish;
  const builtIn = await openBuiltIn(wish, means);
  const { clock, log, web, version } = means;
  return createToolHost({
    servers: toolServers ?? [],
    ...(builtIn && { builtIn }),
    toolAllow,
    web: mcpAllowUrls ? web : undefined,
    ...{ clock, log, version },
  });
}

async function openBuiltIn(
  { tool, webSearchUrl: searchUrl }: ToolsWish,
  { timers, unixMilliseconds, web, pageWorker }: ToolsMeans,
): Promise<ToolServer | undefined> {
  const names = searchUrl === undefined ? tool : [...tool, 'web_search' as const];
  if (names.length === 0) return undefined;
  const [{ createBuiltInServer }, { createConverter }] = await Promise.all([
    import('./built-in/built-in-server.ts'),
    import('./built-in/page-thread.ts'),
  ]);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  const convert = createConverter(pageWorker, timers);
  return createBuiltInServer({ names, unixMilliseconds, timeZone, web, convert, searchUrl });
}
