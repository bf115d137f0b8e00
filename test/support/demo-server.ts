import { parseConfig } from '../../src/config.ts';
import type { RunningServer } from '../../src/main.ts';
import { startServer } from '../../src/main.ts';
import { demoModelPath } from './demo-engine.ts';

/** The whole server with the demo model, on a free port, one thread, without log lines. */
export function startDemoServer(flags: readonly string[] = [], model = demoModelPath): Promise<RunningServer> {
  const fixed = ['--port', '0', '--threads', '1', '--no-flash-attn', '--log-level', 'silent', '--chat-store', 'off'];
  const parsed = parseConfig([model, ...fixed, ...flags], {});
  if (parsed.command !== 'serve') throw new Error('not a command that serves');
  return startServer(parsed.config, { progress: () => undefined });
}
