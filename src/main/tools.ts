import { type Config, packageVersion } from '../config.ts';
import type { PublicWeb } from '../contract/public-web.ts';
import type { Telemetry } from '../contract/services.ts';
import { createApprovalRegistry } from '../generation/approvals.ts';
import type { ToolBench } from '../generation/dependencies.ts';
import type { ToolServer } from '../tools/host.ts';
import { pageWorker } from './entries.ts';
import type { System } from './system.ts';

type ToolSystem = Pick<System, 'clock' | 'timers' | 'unixMilliseconds'>;

/** The server's own tools; undefined where no flag asks for any: nothing of them is loaded then. */
export async function createToolBench(
  config: Pick<Config, 'toolServers' | 'mcpAllowUrls' | 'toolAllow' | 'tool' | 'webSearchUrl'>,
  { system, web, log }: { readonly system: ToolSystem; readonly web: PublicWeb; readonly log: Telemetry['log'] },
): Promise<ToolBench | undefined> {
  const { toolServers, mcpAllowUrls, toolAllow } = config;
  const builtIn = await createBuiltIn(config, system, web);
  if (toolServers === undefined && !builtIn && !mcpAllowUrls) return undefined;
  const { createToolHost } = await import('../tools/host.ts');
  const { clock, timers } = system;
  return {
    host: createToolHost({
      servers: toolServers ?? [],
      ...(builtIn && { builtIn }),
      toolAllow,
      web: mcpAllowUrls ? web : undefined,
      clock,
      log,
      version: packageVersion(),
    }),
    approvals: createApprovalRegistry(timers),
  };
}

async function createBuiltIn(
  { tool, webSearchUrl: searchUrl }: Pick<Config, 'tool' | 'webSearchUrl'>,
  { timers, unixMilliseconds }: ToolSystem,
  web: PublicWeb,
): Promise<ToolServer | undefined> {
  const names = searchUrl === undefined ? tool : [...tool, 'web_search' as const];
  if (names.length === 0) return undefined;
  const [{ createBuiltInServer }, { createConverter }] = await Promise.all([
    import('../tools/built-in/built-in-server.ts'),
    import('../tools/built-in/page-thread.ts'),
  ]);
  const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
  return createBuiltInServer({
    names,
    unixMilliseconds,
    timeZone,
    web,
    convert: createConverter(pageWorker, timers),
    searchUrl,
  });
}
