import { createHash } from 'node:crypto';
import { availableParallelism, cpus } from 'node:os';
import { resolve } from 'node:path';
import type { LoadOptions } from './load-options.ts';

/** Raised when tunings are chosen in another way: what earlier versions chose is not taken over. */
const tuningVersion = 4;

/** Another file, machine, shape or library may want another tuning; what flags decide holds for starts with them only. */
export function tuningKey(options: LoadOptions, modelBytes: number): string {
  const facts = [
    tuningVersion,
    resolve(options.path),
    modelBytes,
    options.slots,
    options.contextSize ?? 'auto',
    options.keyType ?? 'f16',
    options.valueType ?? 'f16',
    options.threads ?? 'auto',
    options.promptThreads ?? 'auto',
    options.flashAttention ?? 'auto',
    options.unified ?? 'auto',
    options.pool ?? {},
    cpus()[0]?.model,
    availableParallelism(),
    options.library.llama,
  ];
  return createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 32);
}
