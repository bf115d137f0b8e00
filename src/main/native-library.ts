import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { gpusOf } from '../native/devices.ts';
import { findLibrary, type GpuWish } from '../native/find-library.ts';
import { type LibraryFiles, openLibrary } from '../native/open-library.ts';

/** The build of llama.cpp that serves the flags. ServeError invalid_request when there is none. */
export function libraryFor({ gpu }: Pick<Config, 'gpu'>): LibraryFiles {
  const wish: GpuWish = gpu === 'off' ? false : gpu;
  return asServeError(gpu, () => findLibrary(wish));
}

/** Of the GPUs that models are spread over, in their order; none on the CPU. */
export function gpuNames(config: Pick<Config, 'gpu'>): readonly string[] {
  if (config.gpu === 'off') return [];
  return asServeError(config.gpu, () => gpusOf(openLibrary(libraryFor(config))).map(({ description }) => description));
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
