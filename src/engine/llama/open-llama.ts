import { getLlama, type Llama } from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import { weighWeightsByFormula } from './memory-estimates.ts';

export type GpuChoice = 'auto' | 'cuda' | 'metal' | 'vulkan' | 'off';
export type NativeLog = (level: string, message: string) => void;

interface Opened {
  readonly llama: Promise<Llama>;
  /** Who hears what the library says: the last one who asked for it. */
  receive: NativeLog | undefined;
}

const opened = new Map<GpuChoice, Opened>();

/** One native library per GPU choice and process. Never builds: the prebuilt binaries come as packages. */
export function openLlama({ gpu, onNativeLog }: { gpu: GpuChoice; onNativeLog?: NativeLog }): Promise<Llama> {
  const known = opened.get(gpu);
  if (known) {
    known.receive = onNativeLog ?? known.receive;
    return known.llama;
  }
  const entry: Opened = { llama: open(gpu, (level, message) => entry.receive?.(level, message)), receive: onNativeLog };
  opened.set(gpu, entry);
  return entry.llama;
}

async function open(gpu: GpuChoice, log: NativeLog): Promise<Llama> {
  try {
    const llama = await getLlama({
      gpu: gpu === 'off' ? false : gpu,
      build: 'never',
      progressLogs: false,
      logger: (level, message) => log(level, message.trimEnd()),
    });
    if (llama.gpu === false) weighWeightsByFormula();
    return llama;
  } catch (error) {
    opened.delete(gpu);
    throw new ServeError(
      'invalid_request',
      gpu === 'auto' || gpu === 'off'
        ? `The inference library could not be loaded on this machine: ${firstLine(error)}`
        : `No usable ${gpu} device was found. Start with --gpu auto, or --gpu off for the CPU.`,
      {},
      { cause: error },
    );
  }
}

/** Of the GPUs that models are spread over, in their order; none on the CPU. */
export async function gpuNames(options: { gpu: GpuChoice; onNativeLog?: NativeLog }): Promise<readonly string[]> {
  const llama = await openLlama(options);
  return llama.gpu ? llama.getGpuDeviceNames() : [];
}

export function firstLine(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return (text.split('\n')[0] ?? '').replace(/\.$/, '');
}
