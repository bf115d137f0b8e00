import { readFileSync } from 'node:fs';
import { totalmem } from 'node:os';
import { gpusOf } from '../native/devices.ts';
import { findLibrary } from '../native/find-library.ts';
import { type LibraryFiles, openLibrary } from '../native/open-library.ts';
import type { MachineMemory } from './choose-quantization.ts';
import { reserveOf } from './default-context.ts';

/** Bytes of main memory, within the limits of the container if there is one. */
export interface MainMemory {
  readonly total: number;
  /** Could be had now: what is unused, and what only caches files. */
  readonly available: number;
}

/** What a model could take at this moment, in bytes. */
export interface FreeMemory {
  readonly ram: number;
  /** Of the GPUs; undefined without one, or while nothing runs on it. */
  readonly device: number | undefined;
}

/** The larger one: what does not fit into it goes into the other, in part or whole. */
export function mostOf({ ram, device }: FreeMemory): number {
  return Math.max(ram, device ?? 0);
}

/** The text of a file of /proc or /sys; undefined when there is none. */
export type ReadSystemFile = (path: string) => string | undefined;

/**
 * On Linux by the kernel's own figures. A control group counts the pages that cache files as used although it gives them
 * up when memory is wanted, and a model of 8 GB that was just downloaded would leave no room for itself: they count as
 * available here. Elsewhere what Node.js says.
 */
export function mainMemory(read: ReadSystemFile = readSystemFile): MainMemory {
  const machine = read('/proc/meminfo');
  const total = kilobytes(machine, 'MemTotal') ?? totalmem();
  const available = kilobytes(machine, 'MemAvailable') ?? process.availableMemory();
  const groups = controlGroups(read).filter(({ limit }) => limit < total);
  return {
    total: Math.min(total, ...groups.map(({ limit }) => limit)),
    available: Math.max(0, Math.min(available, ...groups.map(({ limit, used, cached }) => limit - (used - cached)))),
  };
}

/**
 * Bytes of files that a process has mapped and in memory: weights, mostly. The kernel calls them available, since it could
 * read them again, but a model whose pages are gone computes from the disk.
 */
export function mappedBytes(processId: number | 'self' = 'self', read: ReadSystemFile = readSystemFile): number {
  return kilobytes(read(`/proc/${processId}/status`), 'RssFile') ?? 0;
}

/**
 * What this machine has, whatever runs on it just now: for choosing what to download. `library`: the one that runs in this
 * process already, if any.
 */
export async function machineMemory(library?: LibraryFiles): Promise<MachineMemory> {
  const { total } = mainMemory();
  return { ram: total - reserveOf(total), vram: gpuBytes(library) * deviceShare };
}

/** Of a GPU's memory, what a model may take: the desktop needs the rest. */
const deviceShare = 0.85;

/** 0 when there is no GPU, or the native library does not load on this machine. */
function gpuBytes(library: LibraryFiles | undefined): number {
  try {
    const gpus = gpusOf(openLibrary(library ?? findLibrary('auto')));
    return gpus.reduce((sum, { totalBytes }) => sum + totalBytes, 0);
  } catch {
    return 0;
  }
}

interface ControlGroup {
  readonly limit: number;
  readonly used: number;
  readonly cached: number;
}

/** The one of this process and those around it, of either version, as far as they have limits. */
function controlGroups(read: ReadSystemFile): ControlGroup[] {
  const lines = read('/proc/self/cgroup')?.split('\n') ?? [];
  return lines.flatMap((line) => {
    const [, controllers, path] = /^\d+:([^:]*):(.*)$/.exec(line) ?? [];
    if (path === undefined) return [];
    if (controllers === '')
      return foldersUp(path).flatMap((folder) => groupAt(`/sys/fs/cgroup${folder}`, newNames, read));
    if (!controllers?.split(',').includes('memory')) return [];
    return foldersUp(path).flatMap((folder) => groupAt(`/sys/fs/cgroup/memory${folder}`, oldNames, read));
  });
}

const newNames = { limit: 'memory.max', used: 'memory.current', cached: 'file', shared: 'shmem' } as const;
const oldNames = {
  limit: 'memory.limit_in_bytes',
  used: 'memory.usage_in_bytes',
  cached: 'total_cache',
  shared: 'total_shmem',
} as const;

function groupAt(folder: string, names: typeof newNames | typeof oldNames, read: ReadSystemFile): ControlGroup[] {
  const limit = Number.parseInt(read(`${folder}/${names.limit}`) ?? '', 10);
  const used = Number.parseInt(read(`${folder}/${names.used}`) ?? '', 10);
  if (!Number.isFinite(limit) || !Number.isFinite(used)) return [];
  const figures = read(`${folder}/memory.stat`);
  const figure = (name: string) => Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(figures ?? '')?.[1] ?? 0);
  // Shared memory lies in the page cache too, but there is no file to read it from again.
  return [{ limit, used, cached: Math.max(0, figure(names.cached) - figure(names.shared)) }];
}

/** `/a/b` -> `/a/b`, `/a`, and the root, whose name is empty. In a container the root is its own group. */
function foldersUp(path: string): string[] {
  const steps = path.split('/').filter((step) => step !== '');
  return Array.from({ length: steps.length + 1 }, (_, up) => steps.slice(0, steps.length - up)).map((folders) =>
    folders.map((step) => `/${step}`).join(''),
  );
}

function kilobytes(text: string | undefined, name: string): number | undefined {
  const value = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text ?? '')?.[1];
  return value === undefined ? undefined : Number(value) * 1024;
}

function readSystemFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
