import { parseConfig } from '../../src/config.ts';
import { type RunningServer, startServer } from '../../src/main.ts';

/** The real server on a free port, with the demo model on one thread unless the arguments say otherwise. */
export async function runServer(...args: readonly string[]): Promise<RunningServer> {
  const fixed = ['--port', '0', '--gpu', 'off', '--threads', '1', '--flash-attn=false', '--log-level', 'silent'];
  const parsed = parseConfig([...fixed, ...args], {});
  if (parsed.command !== 'serve') throw new Error(`${parsed.command} is not serve`);
  return startServer(parsed.config, { progress: () => undefined });
}
