import { z } from 'zod';
import type { Clock } from '../contract/services.ts';
import { gpusOf } from '../native/devices.ts';
import { findLibrary, judgeLibraries, thisMachine } from '../native/find-library.ts';
import { openLibrary } from '../native/open-library.ts';
import { measure } from './measure.ts';
import type { NativeLine } from './native-report.ts';

/** What the child process is asked for, as JSON. */
export const nativeTask = z.object({
  gpu: z.union([z.literal('auto'), z.literal(false), z.enum(['cuda', 'vulkan', 'metal'])]),
  /** The folder of the package node-llama-cpp; absent: this program's. */
  home: z.string().optional(),
  milliseconds: z.number(),
  bytes: z.number(),
  formats: z.array(z.string()),
  /** A file, decoded to measure. */
  model: z.string(),
  threads: z.number().optional(),
});

export type NativeTask = z.infer<typeof nativeTask>;

/** Finds, opens and measures, and says each as soon as it is known: what comes next may end the process. */
export function examineNative(task: NativeTask, clock: Clock, write: (line: NativeLine) => void): void {
  try {
    const machine = thisMachine(task.home);
    write({ step: 'found', builds: judgeLibraries(task.gpu, machine) });
    const library = openLibrary(findLibrary(task.gpu, machine));
    const gpus = library.files.gpu === false ? [] : gpusOf(library);
    const { gpu, folder } = library.files;
    const shown = gpus.map(({ type, name, ...each }) => ({
      ...{ ...each, name },
      sharesMain: type === 'integrated-gpu' || /^(MTL|Metal)/.test(name),
    }));
    write({ step: 'opened', version: library.version, gpu, folder, gpus: shown });
    write({ step: 'measured', ...measure(library, { ...task, clock, threads: task.threads }) });
  } catch (error) {
    write({ step: 'failed', words: error instanceof Error ? error.message : String(error) });
  }
}
