import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { stat, statfs, unlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { availableParallelism, cpus, loadavg, release, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { type Config, loadWish, packageFacts } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { describeCard } from '../doctor/cards.ts';
import type { EstimatedModel } from '../doctor/estimate.ts';
import { examine, type Report } from '../doctor/examine.ts';
import { knownModels } from '../doctor/known-models.ts';
import type { Card, DiskAnswer, FitAnswer, HubAnswer, PortAnswer, Probes } from '../doctor/probes.ts';
import { runNative } from '../doctor/run-native.ts';
import { bundledModelPath } from '../models/find-model.ts';
import { fitOn } from '../models/fit-here.ts';
import { hugePageVariables } from '../models/huge-pages.ts';
import { locateModel } from '../models/locate.ts';
import { mainMemory } from '../models/machine-memory.ts';
import type { GpuMemory } from '../models/placement.ts';
import { readModelProfile } from '../models/profile.ts';
import { doctorChild } from './entries.ts';

export interface ExamineWish {
  readonly config: Config;
  /** As --model names it; undefined: those that are known. */
  readonly model: string | undefined;
  /** Addresses of this user's servers. */
  readonly ownUrls: readonly string[];
  readonly tell: (sentence: string) => void;
}

/** `serve-model doctor`. Throws ServeError where the model that was named cannot be read; what is wrong is in the report. */
export async function examineMachine(wish: ExamineWish): Promise<Report> {
  const { config, tell } = wish;
  const models = wish.model === undefined ? knownModels() : [await localModel(wish.model, config)];
  const { responseStore, prefixCacheDir, chatStore } = config;
  const asked = [
    { what: 'responses', folder: responseStore === 'memory' ? undefined : responseStore },
    { what: 'prompts', folder: prefixCacheDir },
    { what: 'chats', folder: chatStore.kept ? chatStore.folder : undefined },
    { what: 'temporary', folder: tmpdir() },
  ].flatMap(({ what, folder }) => (folder === undefined ? [] : [{ what, folder }]));
  return examine(realProbes(wish), {
    models,
    small: await modelAt(bundledModelPath),
    bytes: bytesToRead(config.seconds, mainMemory().available),
    folders: [{ what: 'models', folder: config.modelsDir }, ...asked],
    tell,
  });
}

/** More than caches hold, where there is time and memory. */
function bytesToRead(seconds: number, available: number): number {
  return Math.min(seconds >= 5 ? 512e6 : 128e6, Math.floor(available / 8));
}

async function localModel(target: string, config: Config): Promise<EstimatedModel> {
  const location = await locateModel(target, config);
  if (location.type === 'local') return modelAt(location.path);
  throw new ServeError(
    'model_not_found',
    `${target} lies on the hub: serve-model pull downloads it, and serve-model inspect tells what it would take.`,
    { param: target },
  );
}

async function modelAt(path: string): Promise<EstimatedModel> {
  const { tensors = [], ...profile } = await readModelProfile(path, { projector: false });
  return { ...profile, tensors };
}

function realProbes({ config, ownUrls }: ExamineWish): Probes {
  const { version, engines } = packageFacts();
  return {
    system: {
      ...{ version, node: process.version, wantedNode: engines.node },
      ...{ platform: process.platform, arch: process.arch, release: release() },
      ...{ cpu: cpus()[0]?.model.trim() ?? 'unknown', cores: availableParallelism() },
    },
    cards: readCards,
    native: ({ formats, bytes }) => {
      const milliseconds = config.seconds * 1000;
      const gpu = config.gpu === 'off' ? false : config.gpu;
      return runNative({
        entry: doctorChild,
        task: {
          ...{ gpu, milliseconds, bytes, formats: [...formats], model: bundledModelPath },
          ...(config.threads !== undefined && { threads: config.threads }),
        },
        env: { ...process.env, ...hugePageVariables(process.env) },
        deadlineMs: slowestFactor * milliseconds + openingMs,
      });
    },
    memory: () => mainMemory(),
    load: () => loadavg()[0] ?? 0,
    disk: diskAt,
    port: () => portAnswer(config, ownUrls),
    hub: () => (config.hub ? hubAnswer(config.hfEndpoint) : undefined),
    now: () => Date.now(),
    fit: (model, gpus) => fitAnswer(model, config, gpus),
  };
}

/** A slow machine needs longer for three passes of each kind than it is given. */
const slowestFactor = 6;
const openingMs = 60_000;

function fitAnswer(model: EstimatedModel, config: Config, gpus: readonly GpuMemory[]): FitAnswer {
  const fit = fitOn(gpus, loadWish(config))({ ...model, path: model.id });
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

async function diskAt(folder: string): Promise<DiskAnswer> {
  const there = await nearestFolder(folder);
  const { bavail, bsize } = await statfs(there);
  const freeBytes = bavail * bsize;
  const trial = join(there, `.serve-model-doctor-${randomBytes(8).toString('hex')}`);
  try {
    await writeFile(trial, Buffer.alloc(4096), { flag: 'wx', mode: 0o600 });
    return { folder: there, freeBytes, problem: undefined };
  } catch (error) {
    return { folder: there, freeBytes, problem: error instanceof Error ? reasonOf(error) : String(error) };
  } finally {
    await unlink(trial).catch(() => undefined);
  }
}

async function nearestFolder(folder: string): Promise<string> {
  const found = await stat(folder).catch(() => undefined);
  const above = dirname(folder);
  return found?.isDirectory() || above === folder ? folder : nearestFolder(above);
}

/** `ENOSPC: no space left on device` without the path behind it. */
function reasonOf({ message }: Error): string {
  return message.replace(/, \w+ '.*$/, '');
}

function portAnswer({ host, port }: Config, ownUrls: readonly string[]): Promise<PortAnswer> {
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

async function hubAnswer(url: string): Promise<HubAnswer> {
  const start = performance.now();
  try {
    const response = await fetch(url, { method: 'HEAD', redirect: 'manual', signal: AbortSignal.timeout(hubMs) });
    const date = Date.parse(response.headers.get('date') ?? '');
    const ms = performance.now() - start;
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
