import { getLlamaGpuTypes, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { type CreateLlamaOptions, createLlama } from './native.ts';
import type { NativeHeadStart, NativeHearing } from './native-head-start.ts';
import { prebuiltFile, soundKey } from './prebuilt-file.ts';

/** Libraries that were tried out on this machine and ran. */
export interface SoundLibraries {
  has(key: string): boolean;
  add(key: string): void;
}

/** Of what the library says; how much of that becomes log lines is for the server to say. */
export const nativeLogLevel = LlamaLogLevel.warn;

export interface PrebuiltLibrary {
  readonly key: string;
  /** With the weights that it is loading already, perhaps. */
  open(log: CreateLlamaOptions['logger'], headStart: NativeHeadStart | undefined): Promise<Llama>;
}

/**
 * What `getLlama` would open on this machine, to be opened without trying it out first. On Linux the library tries
 * every prebuilt binary out in a child process, so that one that the machine cannot run ends that process alone: right
 * the first time, but it took 0.4 to 0.7 s of every start, as long as everything else before the model's load together.
 * undefined: a GPU is to be used (its driver may be broken by the next start), or there is no prebuilt file to open.
 */
export async function cpuLibrary(gpu: 'auto' | 'off'): Promise<PrebuiltLibrary | undefined> {
  const file = prebuiltFile();
  if (!file) return undefined;
  if (gpu === 'auto' && (await getLlamaGpuTypes('supported'))[0] !== false) return undefined;
  return {
    key: soundKey(file.key, gpu),
    open: (logger, headStart) =>
      createLlama({
        bindings: headStart?.bindings(heardAs(logger)) ?? file.open(),
        bindingPath: file.path,
        buildType: 'prebuilt',
        buildMetadata: { buildOptions: { gpu: false, llamaCpp: file.llamaCpp, customCmakeOptions: new Map() } },
        logLevel: nativeLogLevel,
        logger,
        vramPadding: 0,
        ramPadding: (total) => Math.floor(Math.min(total / 4, 1024 ** 3)),
        tempDir: false,
      }),
  };
}

/** By the numbers of the library. */
const levels = [
  LlamaLogLevel.disabled,
  LlamaLogLevel.fatal,
  LlamaLogLevel.error,
  LlamaLogLevel.warn,
  LlamaLogLevel.info,
  LlamaLogLevel.log,
  LlamaLogLevel.debug,
];

function heardAs(logger: CreateLlamaOptions['logger']): NativeHearing {
  return (level, message) => logger(levels[level] ?? LlamaLogLevel.fatal, message);
}
