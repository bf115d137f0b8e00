import type { TensorPlace } from '../contract/load-wish.ts';
import type { GgufTensor } from './gguf.ts';

export type WeightTensor = Pick<GgufTensor, 'name' | 'bytes'>;

/** Where the weights of a model may go, in bytes. */
export interface WeightSizes {
  /** The table of the vocabulary and what goes with it: always in main memory. */
  readonly input: number;
  readonly layers: readonly LayerSizes[];
  /** Counts as one layer more, the last. */
  readonly output: number;
  /** What was given a place by name. */
  readonly placed: ReadonlyMap<string, number>;
  /** The largest tensor of a layer: a GPU borrows it for a long prompt where it lies in main memory. */
  readonly largest: number;
}

interface LayerSizes {
  readonly experts: number;
  readonly rest: number;
}

/** The experts of a mixture-of-experts model, as llama.cpp's files name their tensors. */
const expertNames = 'ffn_(up|down|gate|gate_up)_(ch|)exps';
const isExpert = new RegExp(`\\.${expertNames}`);

/** Patterns that keep experts in main memory: of all layers, or of the first so many. */
export function expertsInMainMemory(layers: number | 'all'): TensorPlace[] {
  if (layers === 'all') return [{ pattern: `\\.${expertNames}`, place: 'CPU' }];
  return Array.from({ length: layers }, (_, layer) => ({ pattern: `blk\\.${layer}\\.${expertNames}`, place: 'CPU' }));
}

/** Sorted as llama.cpp does it (llama-model.cpp, load_tensors): by name, and what has a place of its own first. */
export function weightSizes(
  tensors: readonly WeightTensor[],
  layerCount: number,
  places: readonly TensorPlace[] = [],
): WeightSizes {
  const patterns = places.flatMap(({ pattern, place }) => toRegExp(pattern).map((regExp) => ({ regExp, place })));
  const layers = Array.from({ length: layerCount }, () => ({ experts: 0, rest: 0 }));
  const placed = new Map<string, number>();
  let [input, output, largest, table] = [0, 0, 0, 0];
  for (const { name, bytes } of tensors) {
    const place = patterns.find(({ regExp }) => regExp.test(name))?.place;
    const layer = layers[Number(/^blk\.(\d+)\./.exec(name)?.[1] ?? Number.NaN)];
    if (name === 'token_embd.weight') table = bytes;
    if (place !== undefined) placed.set(place, (placed.get(place) ?? 0) + bytes);
    else if (layer) {
      layer[isExpert.test(name) ? 'experts' : 'rest'] += bytes;
      largest = Math.max(largest, bytes);
    } else if (/^output(_norm)?\./.test(name)) output += bytes;
    else input += bytes;
  }
  // Without one of its own the output is the table once more.
  const isTied = table > 0 && !tensors.some(({ name }) => name === 'output.weight');
  return { input, layers, output: output + (isTied ? table : 0), placed, largest };
}

/** What JavaScript cannot read is the library's to judge. */
function toRegExp(pattern: string): RegExp[] {
  try {
    return [new RegExp(pattern)];
  } catch {
    return [];
  }
}
