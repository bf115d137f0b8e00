import { type ChildProcess, spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { until, within } from '../http/support.ts';

/** The protocol's own server of examples, to be started with node and `stdio`. */
export const everythingServer = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
);

export interface HttpServerProcess {
  readonly url: string;
  readonly process: ChildProcess;
  close(): Promise<void>;
}

/** The same over HTTP, on a port that was free. */
export async function startEverythingOverHttp(transport: 'streamableHttp' | 'sse'): Promise<HttpServerProcess> {
  const port = await freePort();
  const child = spawn(process.execPath, [everythingServer, transport], {
    env: { ...process.env, PORT: String(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  await until(`the server of tools listens: ${said}`, () => said.includes(`port ${port}`), 60_000);
  return {
    url: `http://127.0.0.1:${port}/${transport === 'sse' ? 'sse' : 'mcp'}`,
    process: child,
    close: () => {
      child.kill('SIGKILL');
      return within('the end of the server of tools', ended);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
