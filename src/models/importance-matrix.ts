import { open } from 'node:fs/promises';
import { ServeError } from '../contract/errors.ts';
import { kindOf, kindWords } from './file-kind.ts';
import { type GgufHeader, type GgufTensor, readGguf } from './gguf.ts';

/** What llama-imatrix has counted of one tensor. */
interface Counted {
  readonly sums: GgufTensor;
  readonly counts: GgufTensor;
}

/**
 * Reads the header of an importance matrix in GGUF form, and says nothing where it can be used. Throws ServeError
 * invalid_request with the next step.
 */
export async function checkImportance(path: string): Promise<void> {
  countedTensors(path, await readGguf(path, 'importance matrix'));
}

/** How much each input of a tensor matters, by the tensor's name: means of squares over what passed through it. */
export async function readImportance(path: string): Promise<ReadonlyMap<string, Float32Array>> {
  const header = await readGguf(path, 'importance matrix');
  const counted = countedTensors(path, header);
  const file = await open(path, 'r');
  try {
    const read = async ({ offset, bytes }: GgufTensor): Promise<Float32Array> => {
      const buffer = new Uint8Array(bytes);
      await file.read(buffer, 0, bytes, header.dataStart + offset);
      return new Float32Array(buffer.buffer);
    };
    const means = new Map<string, Float32Array>();
    for (const [name, { sums, counts }] of counted) means.set(name, meansOf(await read(sums), await read(counts)));
    return means;
  } finally {
    await file.close();
  }
}

/** Experts have a count each; of one that nothing passed through, all inputs matter the same. */
function meansOf(sums: Float32Array, counts: Float32Array): Float32Array {
  const inputs = sums.length / counts.length;
  return sums.map((sum, index) => {
    const count = Math.round(counts[Math.floor(index / inputs)] ?? 0);
    return count > 0 ? sum / count : 1;
  });
}

const endings = { sums: '.in_sum2', counts: '.counts' } as const;

function countedTensors(path: string, { metadata, tensors }: GgufHeader): ReadonlyMap<string, Counted> {
  const kind = kindOf(metadata);
  if (kind !== 'importance matrix') {
    throw refusal(path, `is ${kindWords[kind].is}, no importance matrix. Give one that llama-imatrix has written.`);
  }
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const counted = new Map<string, Counted>();
  for (const sums of tensors) {
    if (!sums.name.endsWith(endings.sums)) continue;
    const name = sums.name.slice(0, -endings.sums.length);
    const counts = byName.get(name + endings.counts);
    const fits = counts && counts.values > 0 && sums.values % counts.values === 0;
    if (!fits || [sums, counts].some(({ type }) => type !== 'F32')) {
      throw refusal(path, `is damaged: ${JSON.stringify(name)} has no counts that fit its sums.`);
    }
    counted.set(name, { sums, counts });
  }
  if (counted.size === 0) throw refusal(path, 'has counted nothing. Give one that llama-imatrix has written.');
  return counted;
}

function refusal(path: string, words: string): ServeError {
  return new ServeError('invalid_request', `${path} ${words}`, { param: path });
}
