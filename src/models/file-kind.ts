import { open } from 'node:fs/promises';
import type { JsonValue } from '../contract/json.ts';
import { readGeneralEntries } from './gguf.ts';

/** What a GGUF file is: they look alike from outside. */
export type FileKind = 'model' | 'projector' | 'adapter' | 'importance matrix' | 'control vector';

interface KindWords {
  /** Continues the sentence `FILE is ...`. */
  readonly is: string;
  readonly next: string;
}

export const kindWords: Readonly<Record<FileKind, KindWords>> = {
  model: { is: 'a model', next: 'Give it as a model.' },
  projector: {
    is: 'a projector, the part of a model that reads images or sound',
    next: 'Give the model that it belongs to.',
  },
  adapter: { is: 'an adapter (LoRA), which changes another model', next: 'Give the model that it was made for.' },
  'importance matrix': { is: 'an importance matrix, which is for quantizing', next: 'Give a model.' },
  'control vector': {
    is: 'a control vector, which steers another model',
    next: 'Give the model that it was made for.',
  },
};

/** As converters write it: `general.type` (gguf-py, constants.py), and in older files what else gives it away. */
export function kindOf(metadata: ReadonlyMap<string, JsonValue>): FileKind {
  const type = metadata.get('general.type');
  const architecture = metadata.get('general.architecture');
  if (type === 'mmproj' || type === 'clip-vision' || architecture === 'clip') return 'projector';
  if (type === 'adapter' || metadata.has('adapter.type')) return 'adapter';
  if (type === 'imatrix' || metadata.has('imatrix.datasets')) return 'importance matrix';
  return architecture === 'controlvector' ? 'control vector' : 'model';
}

/** Enough for all that stands before the vocabulary. */
const firstBytes = 64 * 1024;

/** By the beginning of the file; `model` where it does not tell, or is no GGUF file: whoever loads it will say so. */
export async function readKind(path: string): Promise<FileKind> {
  const file = await open(path, 'r').catch(() => undefined);
  if (!file) return 'model';
  try {
    const { size } = await file.stat();
    const bytes = new Uint8Array(Math.min(size, firstBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return kindOf(readGeneralEntries(bytes.subarray(0, bytesRead), size));
  } catch {
    return 'model';
  } finally {
    await file.close();
  }
}
