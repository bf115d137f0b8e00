import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import type { GpuMemory } from '../models/placement.ts';
import { gpusOf } from '../native/devices.ts';
import { findLibrary, type GpuWish } from '../native/find-library.ts';
import { type LibraryFiles, openLibrary } from '../native/open-library.ts';

/** The build of llama.cpp that serves the flags. ServeError invalid_request when there is none. */
export function libraryFor({ gpu }: Pick<Config, 'gpu'>): LibraryFiles {
  const wish: GpuWish = gpu === 'off' ? false : gpu;
  return asServeError(gpu, () => findLibrary(wish));
}

/** Those that models are spread over, in their order; none on the CPU. */
export function gpusFor({ gpu, device, gpuMemoryMb }: Pick<Config, 'gpu' | 'device' | 'gpuMemoryMb'>): GpuMemory[] {
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

function asServeError<Result>(gpu: Config['gpu'], work: () => Result): Result {
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
