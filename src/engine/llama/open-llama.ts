import { getLlama, type Llama } from 'node-llama-cpp';
import { ServeError } from '../../contract/errors.ts';
import { countLongHeaderArrays } from './header-arrays.ts';
import { weighWeightsByFormula } from './memory-estimates.ts';
import type { NativeHeadStart } from './native-head-start.ts';
import { cpuLibrary, nativeLogLevel, type SoundLibraries } from './prebuilt-library.ts';

export type GpuChoice = 'auto' | 'cuda' | 'metal' | 'vulkan' | 'off';
export type NativeLog = (level: string, message: string) => void;

export interface OpenOptions {
  readonly gpu: GpuChoice;
  readonly onNativeLog?: NativeLog;
  /** A library that ran on this machine before is not tried out again. */
  readonly sound?: SoundLibraries;
  /** Weights that the prebuilt library is loading already; given back when another one is opened. */
  readonly headStart?: NativeHeadStart | undefined;
}

interface Opened {
  readonly llama: Promise<Llama>;
  /** Who hears what the library says: the last one who asked for it. */
  receive: NativeLog | undefined;
  /** What it said before anybody asked: weights may begin to load before there is a log. */
  readonly unheard: Parameters<NativeLog>[];
}

const mostUnheard = 1000;

const opened = new Map<GpuChoice, Opened>();

/** One native library per GPU choice and process. Never builds: the prebuilt binaries come as packages. */
export function openLlama({ gpu, onNativeLog, sound, headStart }: OpenOptions): Promise<Llama> {
  const known = opened.get(gpu);
  if (known) {
    known.receive = onNativeLog ?? known.receive;
    if (onNativeLog) for (const said of known.unheard.splice(0)) onNativeLog(...said);
    return known.llama;
  }
  const log: NativeLog = (level, message) => {
    if (entry.receive) entry.receive(level, message);
    else if (entry.unheard.length < mostUnheard) entry.unheard.push([level, message]);
  };
  const entry: Opened = { llama: open({ gpu, sound, headStart, log }), receive: onNativeLog, unheard: [] };
  opened.set(gpu, entry);
  return entry.llama;
}

interface Opening {
  readonly gpu: GpuChoice;
  readonly sound: SoundLibraries | undefined;
  readonly headStart: NativeHeadStart | undefined;
  readonly log: NativeLog;
}

async function open(opening: Opening): Promise<Llama> {
  const { gpu } = opening;
  try {
    const [llama] = await Promise.all([openSoundly(opening), countLongHeaderArrays()]);
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

/** As before, where that went well, or after trying it out in a child process. */
async function openSoundly({ gpu, sound, headStart, log }: Opening): Promise<Llama> {
  const logger: NativeLog = (level, message) => log(level, message.trimEnd());
  const prebuilt = sound && (gpu === 'auto' || gpu === 'off') ? await cpuLibrary(gpu) : undefined;
  if (prebuilt && sound?.has(prebuilt.key)) {
    const again = await prebuilt.open(logger, headStart).catch(() => undefined);
    if (again) return again;
  }
  await headStart?.discard();
  const llama = await getLlama({
    gpu: gpu === 'off' ? false : gpu,
    build: 'never',
    progressLogs: false,
    logLevel: nativeLogLevel,
    logger,
  });
  if (prebuilt && llama.gpu === false && llama.buildType === 'prebuilt') sound?.add(prebuilt.key);
  return llama;
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
