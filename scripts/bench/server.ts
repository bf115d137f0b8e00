import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { inRepository } from '../in-repository.ts';
import type { ChatOptions } from './chat.ts';
import { startChat } from './chat.ts';
import { withDeadline } from './deadline.ts';

export const slots = 8;
export const contextPerSlot = 4096;

/** How to start one of the servers that are compared. */
export interface ServerSpec {
  readonly name: string;
  /** Of the variants of one product the best one counts, scenario by scenario. */
  readonly product: 'serve-model' | 'llama-server';
  readonly command: string;
  readonly args: (model: string, port: number) => readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

export function ownServer(extra: readonly string[]): ServerSpec {
  const program = inRepository('dist/cli/serve-model.js');
  const size = ['--ctx-size', String(contextPerSlot), '--parallel', String(slots)];
  return {
    name: 'serve-model',
    product: 'serve-model',
    command: process.execPath,
    args: (model, port) => [program, resolve(model), '--port', String(port), ...size, ...extra],
    // The program restarts with it by itself where Node.js can; for older ones the guide to speed tells to set it.
    env: 'execve' in process ? process.env : { GLIBC_TUNABLES: 'glibc.malloc.hugetlb=1', ...process.env },
  };
}

/** llama-server with one thread and with as many as there are cores: which is better depends on the model. */
export function peerServers(binary: string): ServerSpec[] {
  const cores = cpus().length;
  const size = ['--ctx-size', String(contextPerSlot * slots), '--parallel', String(slots)];
  const libraries = [dirname(resolve(binary)), process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return [...new Set([1, cores])].map((threads) => ({
    name: `llama-server, ${threads} thread${threads === 1 ? '' : 's'}`,
    product: 'llama-server',
    command: resolve(binary),
    args: (model, port) => ['--model', model, '--port', String(port), ...size, '--threads', String(threads)],
    env: { ...process.env, LD_LIBRARY_PATH: libraries },
  }));
}

export interface RunningServer {
  readonly spec: ServerSpec;
  readonly port: number;
  /** Megabytes, where the system tells (Linux). */
  peakMemory(): number | undefined;
  stop(): Promise<void>;
}

const startDeadline = 180_000;

/** Starts a server and waits until it is ready. Its output goes to a log file beside the model. */
export async function startServer(spec: ServerSpec, model: string): Promise<RunningServer> {
  const server = await launch(spec, model);
  await withDeadline(untilReady(server.process, server.port), startDeadline, `${spec.name} to be ready`);
  return server;
}

/** Milliseconds from the start of the process to the first token of a chat that is sent again until it is taken. */
export async function coldStart(spec: ServerSpec, model: string, options: ChatOptions): Promise<number> {
  const startedAt = performance.now();
  const server = await launch(spec, model);
  try {
    return await withDeadline(untilFirstToken(server, options, startedAt), startDeadline, `${spec.name} to answer`);
  } finally {
    await server.stop();
  }
}

async function untilFirstToken(server: LaunchedServer, options: ChatOptions, startedAt: number): Promise<number> {
  for (;;) {
    const { pieceTimes } = await startChat(server.port, options).done.catch(() => ({ pieceTimes: [] }));
    const [first] = pieceTimes;
    if (first !== undefined) return first - startedAt;
    checkAlive(server.process);
    await pause(5);
  }
}

interface LaunchedServer extends RunningServer {
  readonly process: ChildProcess;
}

async function launch(spec: ServerSpec, model: string): Promise<LaunchedServer> {
  const port = await freePort();
  const log = openSync(join(dirname(model), `${spec.name.replace(/\W+/g, '-')}.log`), 'w');
  const child = spawn(spec.command, spec.args(model, port), { env: spec.env, stdio: ['ignore', log, log] });
  closeSync(log);
  await withDeadline(once(child, 'spawn'), 10_000, `${spec.command} to start`);
  const exited = once(child, 'exit');
  return {
    spec,
    port,
    process: child,
    peakMemory: () => peakMemory(child.pid),
    stop: async () => {
      child.kill('SIGTERM');
      const hard = setTimeout(() => child.kill('SIGKILL'), 15_000);
      await exited;
      clearTimeout(hard);
    },
  };
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  for (;;) {
    const status = await fetch(`http://127.0.0.1:${port}/health`).then(
      (response) => response.status,
      () => 0,
    );
    if (status === 200) return;
    checkAlive(child);
    await pause(probeEveryMs);
  }
}

/** As a supervisor would. Fifty probes a second are work beside the decode steps that serve-model measures at its start. */
const probeEveryMs = 500;

function checkAlive(child: ChildProcess): void {
  if (child.exitCode !== null || child.signalCode !== null)
    throw new Error(
      `${child.spawnargs.join(' ')} ended with ${child.exitCode ?? child.signalCode}: see its log beside the model.`,
    );
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1');
  await once(probe, 'listening');
  const address = probe.address();
  probe.close();
  await once(probe, 'close');
  if (address === null || typeof address === 'string') throw new Error('No port is free.');
  return address.port;
}

/** VmHWM: the most memory that ever was resident, the mapped model file included. */
function peakMemory(pid: number | undefined): number | undefined {
  try {
    const kibibytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return kibibytes === undefined ? undefined : Number(kibibytes) / 1024;
  } catch {
    return undefined;
  }
}
