import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { basename, dirname, join } from 'node:path';
import type { LoadWish } from '../contract/load-wish.ts';
import type { Clock } from '../contract/services.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { fitOn } from '../models/fit-here.ts';
import { mainMemory } from '../models/machine-memory.ts';
import type { GpuMemory } from '../models/placement.ts';
import { describeCard } from './cards.ts';
import type { EstimatedModel } from './estimate.ts';
import type { Card, DiskAnswer, FitAnswer, HubAnswer, PortAnswer, Probes } from './probes.ts';
import { runNative } from './run-native.ts';

export interface MachineOptions {
  /** Of this program, and of Node.js as package.json wants it. */
  readonly version: string;
  readonly wantedNode: string;
  /** How long to measure, about. */
  readonly seconds: number;
  readonly threads: number | undefined;
  /** What is asked of a load that says nothing itself. */
  readonly wish: LoadWish;
  readonly host: string;
  readonly port: number;
  /** Addresses of this user's servers. */
  readonly ownUrls: readonly string[];
  /** Undefined: it is not to be asked. */
  readonly hub: string | undefined;
  /** The compiled file that calls `examineNative`, and the environment of that process. */
  readonly entry: URL;
  readonly env: NodeJS.ProcessEnv;
  readonly clock: Clock;
  readonly unixMilliseconds: () => number;
  readonly newId: () => string;
}

/** This machine. */
export function machineProbes(options: MachineOptions): Probes {
  const { version, wantedNode, seconds, threads, wish, hub, clock } = options;
  return {
    system: {
      ...{ version, wantedNode, node: process.version },
      ...{ platform: process.platform, arch: process.arch, release: release() },
      ...{ cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    },
    cards: readCards,
    native: ({ formats, bytes }) => {
      const milliseconds = seconds * 1000;
      const { gpu } = wish.devices;
      return runNative({
        entry: options.entry,
        task: {
          ...{ gpu: gpu === 'off' ? false : gpu, milliseconds, bytes, formats: [...formats], model: bundledModelPath },
          ...(threads !== undefined && { threads }),
        },
        env: options.env,
        deadlineMs: slowestFactor * milliseconds + openingMs,
      });
    },
    memory: () => mainMemory(),
    load: () => loadavg()[0] ?? 0,
    disk: (folder) => diskAt(folder, options.newId()),
    port: () => portAnswer(options),
    hub: () => (hub === undefined ? undefined : hubAnswer(hub, clock)),
    now: options.unixMilliseconds,
    fit: (model, gpus) => fitAnswer(model, wish, gpus),
  };
}

/** A slow machine needs longer for three passes of each kind than it is given. */
const slowestFactor = 6;
const openingMs = 60_000;

function fitAnswer(model: EstimatedModel, wish: LoadWish, gpus: readonly GpuMemory[]): FitAnswer {
  const fit = fitOn(gpus, wish)({ ...model, path: model.id });
  if ('tooLarge' in fit) return fit;
  const { contextSize, slots, placement } = fit;
  return { contextSize, slots, where: placement };
}

/** What the kernel of Linux tells; nothing elsewhere. */
function readCards(): Card[] {
  const devices = '/sys/bus/pci/devices';
  const text = (path: string) => attempt(() => readFileSync(path, 'utf8').trim());
  return (attempt(() => readdirSync(devices)) ?? []).flatMap((address) => {
    const of = (name: string) => text(join(devices, address, name)) ?? '';
    const driver = attempt(() => basename(readlinkSync(join(devices, address, 'driver'))));
    return describeCard({ kind: of('class'), vendor: of('vendor'), device: of('device'), driver }) ?? [];
  });
}

function attempt<Result>(work: () => Result): Result | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export async function diskAt(folder: string, id: string): Promise<DiskAnswer> {
  const { folder: there, obstacle } = await nearestFolder(folder);
  const { bavail, bsize } = await statfs(there);
  const freeBytes = bavail * bsize;
  if (obstacle !== undefined) return { folder: there, freeBytes, problem: `${obstacle} is no folder` };
  const trial = join(there, `.serve-model-doctor-${id}`);
  try {
    await writeFile(trial, Buffer.alloc(4096), { flag: 'wx', mode: 0o600 });
    return { folder: there, freeBytes, problem: undefined };
  } catch (error) {
    return { folder: there, freeBytes, problem: error instanceof Error ? reasonOf(error) : String(error) };
  } finally {
    await unlink(trial).catch(() => undefined);
  }
}

/** `obstacle`: what is there in the place of a folder. */
async function nearestFolder(folder: string): Promise<{ readonly folder: string; readonly obstacle?: string }> {
  const found = await stat(folder).catch(() => undefined);
  const above = dirname(folder);
  if (found?.isDirectory() || above === folder) return { folder };
  const nearest = await nearestFolder(above);
  return found ? { ...nearest, obstacle: folder } : nearest;
}

/** `ENOSPC: no space left on device` without the path after it. */
function reasonOf({ message }: Error): string {
  return message.replace(/, \w+ '.*$/, '');
}

function portAnswer({ host, port, ownUrls }: MachineOptions): Promise<PortAnswer> {
  const isOwn = ownUrls.some((url) => Number(new URL(url).port) === port);
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', (error) => {
      const isTaken = 'code' in error && error.code === 'EADDRINUSE';
      resolve({ host, port, taken: !isTaken ? 'forbidden' : isOwn ? 'own' : 'other' });
    });
    server.listen({ host, port }, () => server.close(() => resolve({ host, port, taken: undefined })));
  });
}

/** The longest that the hub is waited for. */
const hubMs = 4000;

async function hubAnswer(url: string, clock: Clock): Promise<HubAnswer> {
  const start = clock();
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(hubMs) });
    const date = Date.parse(response.headers.get('date') ?? '');
    const ms = clock() - start;
    if (response.status >= 500) return { reached: false, url, why: `it answers ${response.status}` };
    return { reached: true, url, ms, date: Number.isNaN(date) ? undefined : date };
  } catch (error) {
    return { reached: false, url, why: whyNot(error) };
  }
}

function whyNot(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError') return `no answer within ${hubMs / 1000} s`;
  return error.cause instanceof Error ? error.cause.message : error.message;
}
