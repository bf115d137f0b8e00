import type { Splitting } from '../contract/load-wish.ts';

/** Bytes in one memory. */
export interface DeviceLoad {
  readonly weights: number;
  readonly context: number;
  readonly compute: number;
  readonly total: number;
}

export interface DeviceRoom {
  /** Bytes that may be taken. */
  readonly room: number;
  /** What lies there whichever layers do. */
  readonly fixed: Omit<DeviceLoad, 'total'>;
}

type Part = Pick<DeviceLoad, 'weights' | 'context'>;

export interface Spreading {
  readonly gpus: readonly DeviceLoad[];
  /** For llama.cpp; undefined where one GPU takes all, or the shares were given. */
  readonly tensorSplit: readonly number[] | undefined;
}

/** Steps of filling all devices to the same share of their room. */
const fillSteps = 32;

/**
 * Layers in their order over the devices, each filled to about the same share of its room; undefined where they do not fit,
 * unless they are to be put there all the same. Counts of layers are llama.cpp's shares: it gives layer k of n to the
 * first device whose shares up to there exceed k / n.
 */
export function spread(
  parts: readonly Part[],
  devices: readonly DeviceRoom[],
  { splitMode, mainGpu = 0, tensorSplit }: Splitting,
  force = false,
): Spreading | undefined {
  const given = givenCounts(parts.length, devices, { splitMode, mainGpu, tensorSplit });
  if (splitMode === 'row') return inRows(parts, devices, mainGpu, force);
  if (given) return loadsOf(parts, devices, given, force);
  for (let step = 1; step <= fillSteps; step++) {
    const counts = fill(parts, devices, step / fillSteps);
    const loads = counts && loadsOf(parts, devices, counts, false);
    if (loads) return { ...loads, tensorSplit: counts };
  }
  return force ? loadsOf(parts, devices, [parts.length], true) : undefined;
}

/** Layers of each device where there is no choice. */
function givenCounts(
  layers: number,
  devices: readonly DeviceRoom[],
  { splitMode, mainGpu, tensorSplit }: Splitting & { mainGpu: number },
): readonly number[] | undefined {
  if (splitMode === 'none') return devices.map((_, index) => (index === mainGpu ? layers : 0));
  if (devices.length === 1) return [layers];
  if (!tensorSplit?.some((share) => share > 0)) return undefined;
  const shares = devices.map((_, index) => tensorSplit[index] ?? 0);
  const sum = shares.reduce((total, share) => total + share, 0);
  const ends = shares.map((_, index) => shares.slice(0, index + 1).reduce((total, share) => total + share, 0) / sum);
  const counts = devices.map(() => 0);
  for (let layer = 0; layer < layers; layer++) {
    const device = ends.findIndex((end) => Math.fround(layer / layers) < Math.fround(end));
    counts[device] = (counts[device] ?? 0) + 1;
  }
  return counts;
}

/** As many layers for each as this share of its room takes; undefined where some are left over. */
function fill(parts: readonly Part[], devices: readonly DeviceRoom[], share: number): number[] | undefined {
  let next = 0;
  const counts = devices.map(({ room, fixed }) => {
    let free = (room - sizeOf(fixed) - fixed.compute) * share;
    const first = next;
    for (let part = parts[next]; part && sizeOf(part) <= free; part = parts[++next]) free -= sizeOf(part);
    return next - first;
  });
  return next === parts.length ? counts : undefined;
}

function loadsOf(
  parts: readonly Part[],
  devices: readonly DeviceRoom[],
  counts: readonly number[],
  force: boolean,
): Spreading | undefined {
  let next = 0;
  const gpus = devices.map(({ fixed }, index) => {
    const own = parts.slice(next, next + (counts[index] ?? 0));
    next += own.length;
    const isUsed = own.length > 0 || sizeOf(fixed) > 0;
    return withTotal({
      weights: own.reduce((sum, { weights }) => sum + weights, fixed.weights),
      context: own.reduce((sum, { context }) => sum + context, fixed.context),
      compute: isUsed ? fixed.compute : 0,
    });
  });
  const fits = gpus.every(({ total }, index) => total <= (devices[index]?.room ?? 0) || total === 0);
  return fits || force ? { gpus, tensorSplit: undefined } : undefined;
}

/** Each tensor is cut among all devices, by free memory; the context lies on one. */
function inRows(
  parts: readonly Part[],
  devices: readonly DeviceRoom[],
  mainGpu: number,
  force: boolean,
): Spreading | undefined {
  const weights = parts.reduce((sum, part) => sum + part.weights, 0);
  const context = parts.reduce((sum, part) => sum + part.context, 0);
  const room = devices.reduce((sum, device) => sum + Math.max(0, device.room), 0);
  const gpus = devices.map(({ room: own, fixed }, index) =>
    withTotal({
      weights: fixed.weights + (weights * Math.max(0, own)) / Math.max(1, room),
      context: fixed.context + (index === mainGpu ? context : 0),
      compute: fixed.compute,
    }),
  );
  const fits = gpus.reduce((sum, { total }) => sum + total, 0) <= room;
  return fits || force ? { gpus, tensorSplit: undefined } : undefined;
}

function sizeOf({ weights, context }: Part): number {
  return weights + context;
}

function withTotal(load: Omit<DeviceLoad, 'total'>): DeviceLoad {
  return { ...load, total: load.weights + load.context + load.compute };
}
