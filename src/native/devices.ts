import type { NativeLibrary } from './library.ts';

export interface Device {
  /** As `devices` of a model names it: CUDA0, Metal, Vulkan1, CPU. */
  readonly name: string;
  /** For people: NVIDIA H200. */
  readonly description: string;
  readonly type: 'cpu' | 'gpu' | 'integrated-gpu' | 'accelerator';
  readonly freeBytes: number;
  readonly totalBytes: number;
}

/** By ggml_backend_dev_type. */
const types = ['cpu', 'gpu', 'integrated-gpu', 'accelerator'] as const;

/** What the library computes on, in its order. */
function devicesOf(library: NativeLibrary): readonly Device[] {
  const { functions } = library;
  return Array.from({ length: functions.ggml_backend_dev_count() }, (_, index) => {
    const device = functions.ggml_backend_dev_get(index);
    const [free, total] = [new BigUint64Array(1), new BigUint64Array(1)];
    functions.ggml_backend_dev_memory(device, free, total);
    return {
      name: functions.ggml_backend_dev_name(device) ?? '',
      description: functions.ggml_backend_dev_description(device) ?? '',
      type: types[functions.ggml_backend_dev_type(device)] ?? 'accelerator',
      freeBytes: Number(free[0]),
      totalBytes: Number(total[0]),
    };
  });
}

/** Those that models are spread over. */
export function gpusOf(library: NativeLibrary): readonly Device[] {
  const devices = devicesOf(library);
  const gpus = devices.filter(({ type }) => type === 'gpu');
  return gpus.length > 0 ? gpus : devices.filter(({ type }) => type === 'integrated-gpu');
}
