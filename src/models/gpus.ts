import { ServeError } from '../contract/errors.ts';
import type { DeviceWish } from '../contract/load-wish.ts';
import { gpusOf } from '../native/devices.ts';
import { findLibrary, type GpuWish } from '../native/find-library.ts';
import { type LibraryFiles, openLibrary } from '../native/open-library.ts';
import type { GpuMemory } from './placement.ts';

/** The build of llama.cpp that serves the wish. ServeError invalid_request when there is none. */
export function libraryFor({ gpu }: Pick<DeviceWish, 'gpu'>): LibraryFiles {
  const wish: GpuWish = gpu === 'off' ? false : gpu;
  return asServeError(gpu, () => findLibrary(wish));
}

/** Those that models are spread over, in their order; none on the CPU. */
export function gpusFor({ gpu, device, gpuMemoryMb }: DeviceWish): GpuMemory[] {
  if (gpu === 'off') return [];
  const library = libraryFor({ gpu });
  if (library.gpu === false) return [];
  const most = gpuMemoryMb === undefined ? Number.POSITIVE_INFINITY : gpuMemoryMb * 1024 * 1024;
  const all = asServeError(gpu, () => gpusOf(openLibrary(library)));
  const named = device.flatMap((name) => all.find((each) => each.name === name) ?? []);
  return (device.length > 0 ? named : all).map((each) => ({
    ...each,
    freeBytes: Math.min(each.freeBytes, most),
    sharesMain: each.type === 'integrated-gpu' || /^(MTL|Metal)/.test(each.name),
  }));
}

/** With those alone that a load names by number, counted from 0. Without a GPU the numbers mean nothing. */
export function withGpus(wish: DeviceWish, ids: readonly number[] | undefined): DeviceWish {
  if (ids === undefined) return wish;
  const gpus = gpusFor(wish);
  return gpus.length === 0 ? wish : { ...wish, device: ids.flatMap((id) => gpus[id]?.name ?? []) };
}

/** The same, or one of that size where there is none: what a model would do on it can be told all the same. */
export function gpusAtHand(wish: DeviceWish): GpuMemory[] {
  const found = gpusFor(wish);
  if (found.length > 0 || wish.gpu === 'off' || wish.gpuMemoryMb === undefined) return found;
  const bytes = wish.gpuMemoryMb * 1024 * 1024;
  return [{ name: 'GPU', description: 'supposed', freeBytes: bytes, totalBytes: bytes, sharesMain: false }];
}

function asServeError<Result>(gpu: DeviceWish['gpu'], work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    throw new ServeError(
      'invalid_request',
      gpu === 'auto' || gpu === 'off'
        ? words
        : `No usable ${gpu} device was found. Start with --gpu auto, or --gpu off for the CPU.`,
      {},
      { cause: error },
    );
  }
}
