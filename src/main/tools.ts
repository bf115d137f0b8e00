import { type Config, packageVersion } from '../config.ts';
import type { Telemetry } from '../contract/services.ts';
import { createApprovalRegistry } from '../generation/approvals.ts';
import type { ToolBench } from '../generation/tool-loop.ts';
import type { System } from './system.ts';

/** The server's own tools; undefined where no flag asks for any: nothing of them is loaded then. */
export async function createToolBench(
  { toolServers, toolAllow }: Pick<Config, 'toolServers' | 'toolAllow'>,
  { clock, timers }: Pick<System, 'clock' | 'timers'>,
  log: Telemetry['log'],
): Promise<ToolBench | undefined> {
  if (toolServers === undefined) return undefined;
  const { createToolHost } = await import('../tools/host.ts');
  return {
    host: createToolHost({ servers: toolServers, toolAllow, clock, log, version: packageVersion() }),
    approvals: createApprovalRegistry(timers),
  };
}
