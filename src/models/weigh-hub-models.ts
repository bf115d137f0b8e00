import { basename } from 'node:path';
import { ServeError } from '../contract/errors.ts';
import { neededBySize } from './choose-quantization.ts';
import { downloadBytes } from './download.ts';
import type { HubAccess, HubModel } from './hub.ts';
import { type MemoryFacts, type MemoryShape, memoryNeed } from './memory.ts';
import { architectureOf } from './profile.ts';
import { readRemoteHeader } from './remote-header.ts';

export interface WeighOptions {
  readonly access: HubAccess;
  /** What is to be loaded with; a context of 0 tokens: as much as will fit, so a modest one is counted. */
  readonly shape: MemoryShape;
  /** Told in a sentence why a header did not help. */
  readonly tell: (sentence: string) => void;
}

/** Tokens per slot that a model should have room for at least. */
const modestContext = 4096;
/** Headers of big vocabularies take some 10 MB; who waits for a choice does not wait longer than this. */
const headerMs = 20_000;
/** Repositories that hold more models than this in all their quantizations are collections. */
const mostHeaders = 4;

/** Facts of a header, and where its weights begin. */
interface ReadHeader {
  readonly facts: Omit<MemoryFacts, 'sizeBytes'>;
  readonly headerBytes: number;
}

/**
 * What each model of a repository takes in memory, in bytes. All quantizations of a model have the same layers and heads,
 * so the header of its smallest file tells for all of them; where none can be read, the size of the files has to do.
 */
export async function weighHubModels(
  models: readonly HubModel[],
  options: WeighOptions,
): Promise<(model: HubModel) => number> {
  const smallest = new Map<string, HubModel>();
  for (const model of models) {
    const other = smallest.get(nameOf(model));
    if (!other || model.bytes < other.bytes) smallest.set(nameOf(model), model);
  }
  const headers = new Map(
    await Promise.all(
      [...smallest].slice(0, mostHeaders).map(async ([name, model]) => [name, await headerOf(model, options)] as const),
    ),
  );
  return (model) => {
    const header = headers.get(nameOf(model));
    return header ? neededByHeader(model, header, options.shape) : neededBySize(downloadBytes(model));
  };
}

function neededByHeader(model: HubModel, { facts, headerBytes }: ReadHeader, shape: MemoryShape): number {
  const trained = facts.metadata[`${facts.architecture}.context_length`];
  const modest = typeof trained === 'number' && trained > 0 ? Math.min(trained, modestContext) : modestContext;
  const sizeBytes = Math.max(0, downloadBytes(model) - headerBytes);
  return memoryNeed({ ...facts, sizeBytes }, { ...shape, contextSize: shape.contextSize || modest }).total;
}

async function headerOf(model: HubModel, { access, tell }: WeighOptions): Promise<ReadHeader | undefined> {
  const [file] = model.files;
  if (!file) return undefined;
  try {
    const signal = AbortSignal.any([access.signal, AbortSignal.timeout(headerMs)]);
    const { metadata, dataStart } = await readRemoteHeader(file, model.name, { ...access, signal });
    const facts = { architecture: architectureOf(metadata, file.path), metadata: Object.fromEntries(metadata) };
    if (facts.metadata[`${facts.architecture}.block_count`] !== undefined) return { facts, headerBytes: dataStart };
    throw new ServeError('invalid_request', 'It does not say how many layers the model has.');
  } catch (error) {
    access.signal.throwIfAborted();
    tell(`${file.path} is weighed by its size, because its header cannot be used: ${reasonOf(error)}`);
    return undefined;
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof ServeError) return error.message;
  const late = error instanceof DOMException && error.name === 'TimeoutError';
  return late ? `It did not arrive within ${headerMs / 1000} s.` : 'The connection broke.';
}

/** The name that all quantizations of a model share. */
function nameOf({ files, quantization }: HubModel): string {
  const stem = basename(files[0]?.path ?? '').replace(/(-\d{5}-of-\d{5})?\.gguf$/i, '');
  return quantization === undefined ? stem : stem.slice(0, -quantization.length);
}
