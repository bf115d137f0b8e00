import { thisMachine } from '../client/port-files.ts';
import { noServer, type RunningServer, runningServers } from '../client/running-servers.ts';
import { serverStatus, unloaded } from '../client/status.ts';
import type { Config, OperandCommand } from '../config.ts';
import { showBytes } from '../contract/amounts.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { tableLines } from './table.ts';
import type { Terminal } from './terminal.ts';

type RunningCommand = Extract<OperandCommand, { readonly command: 'ps' | 'stop' }>;

/** A server that hangs must not hold up a look at the others. */
const patienceMs = 5000;

/** The commands about servers that run. */
export async function runRunningCommand(parsed: RunningCommand, terminal: Terminal): Promise<void> {
  switch (parsed.command) {
    case 'ps':
      return showRunning(parsed.config, terminal);
    case 'stop': {
      const [model] = parsed.operands;
      return model === undefined ? stopServer(parsed.config, terminal) : unloadModel(model, parsed.config, terminal);
    }
    default:
      return parsed satisfies never;
  }
}

/** `serve-model ps` */
async function showRunning(config: Config, terminal: Terminal): Promise<void> {
  const servers = await runningServers(config);
  if (servers.length === 0) {
    terminal.tell('No server of yours runs on this machine. serve-model MODEL starts one.');
    return;
  }
  const rows = await Promise.all(servers.map((server) => rowsOf(server)));
  const heads = ['MODEL', 'MEMORY', 'CONTEXT', 'SLOTS', 'DEVICE', 'SERVER', 'PROCESS'];
  terminal.write(`${tableLines([heads, ...rows.flat()], [1, 2, 3]).join('\n')}\n`);
}

async function rowsOf(server: RunningServer): Promise<string[][]> {
  const where = [server.url, server.pid === undefined ? '' : String(server.pid)];
  try {
    const status = await statusOf(server);
    const rows = status.models.map(({ model, memory_bytes, context_length, slots, device }) => [
      model,
      showBytes(memory_bytes),
      String(context_length),
      String(slots),
      device,
      ...where,
    ]);
    const loading = status.loading.map((model) => [model, '', '', '', 'is being loaded', ...where]);
    const all = [...rows, ...loading];
    return all.length > 0 ? all : [['', '', '', '', 'no model is loaded', ...where]];
  } catch (error) {
    return [['', '', '', '', error instanceof Error ? error.message : String(error), ...where]];
  }
}

function statusOf(server: RunningServer) {
  return server.call('/api/inference/status', serverStatus, { signal: AbortSignal.timeout(patienceMs) });
}

/** `serve-model stop MODEL`: the first server that has it loaded unloads it. */
async function unloadModel(name: string, config: Config, terminal: Terminal): Promise<void> {
  // Changing models takes more than using them.
  const servers = await runningServers({ ...config, apiKey: adminKeys(config) });
  if (servers.length === 0) throw noServer();
  const failures: unknown[] = [];
  for (const server of servers) {
    try {
      const body = { model_path: name };
      const { model } = await server.call('/api/inference/unload', unloaded, { body });
      terminal.write(`unloaded ${printable(model)} from ${server.url}\n`);
      return;
    } catch (error) {
      failures.push(error);
    }
  }
  // Of several servers each says in vain that it has no such model: the last word is as good as any.
  throw failures.at(-1);
}

function adminKeys({ adminToken, apiKey }: Config): readonly string[] {
  return adminToken === undefined ? apiKey : [adminToken];
}

/** `serve-model stop`: running answers finish first. */
async function stopServer(config: Config, terminal: Terminal): Promise<void> {
  const servers = await runningServers(config);
  const [server, another] = servers;
  if (!server) throw noServer();
  if (another) {
    const addresses = servers.map(({ url }) => url).join(', ');
    throw new ServeError('invalid_request', `Several servers run: ${addresses}. Say which one with --url.`);
  }
  if (server.pid === undefined) {
    throw new ServeError(
      'invalid_request',
      `${server.url} is no server of yours on this machine, which alone can be stopped. With the name of a model it is asked to unload that.`,
    );
  }
  // Only what answers there is certain to be the process that the file names.
  await statusOf(server).catch(unlessRefused);
  process.kill(server.pid, 'SIGTERM');
  terminal.tell(`process ${server.pid} at ${server.url} ends when its running answers are out`);
  await ended(server.pid, config.drainTimeout);
  terminal.write(`stopped ${server.url}\n`);
}

function unlessRefused(error: unknown): void {
  if (error instanceof ServeError && (error.code === 'unauthorized' || error.code === 'forbidden')) return;
  throw error;
}

/** For closing after the drain. */
const afterDrainMs = 15_000;
const pauseMs = 50;

async function ended(pid: number, drainSeconds: number): Promise<void> {
  const lastLook = performance.now() + drainSeconds * 1000 + afterDrainMs;
  while (thisMachine.isAlive(pid)) {
    if (performance.now() > lastLook)
      throw new ServeError('request_timeout', `Process ${pid} still runs. kill -9 ${pid} ends it at once.`);
    await new Promise((done) => setTimeout(done, pauseMs));
  }
}
