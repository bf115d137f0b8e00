import { ServeError } from '../contract/errors.ts';
import { kindOf, kindWords } from './file-kind.ts';
import { type GgufHeader, type GgufTensor, readGguf } from './gguf.ts';

/** What a LoRA adapter adds to one of the model's tensors: the product of two thin ones. */
interface Pair {
  readonly a: GgufTensor;
  readonly b: GgufTensor;
}

/** Tensors that end in this are passed over by llama.cpp. */
const passedOver = '_norm.weight';
/** What llama.cpp cannot multiply with: it asserts, in the middle of a request. */
const noFactor = /^(I\d+|F64|Q8_1|Q8_K|type \d+)$/;
const embedding = 'token_embd.weight';

/**
 * Reads an adapter's header and looks whether the library can add it to the model. What llama.cpp does not check itself
 * it asserts later, when the first request uses the adapter (llama-adapter.cpp, llama-graph.cpp `build_lora_mm`).
 * `model`: the headers of its parts. Throws ServeError invalid_request with the next step.
 */
export async function checkAdapter(path: string, model?: readonly GgufHeader[]): Promise<void> {
  const header = await readGguf(path, 'adapter');
  const { metadata } = header;
  const kind = kindOf(metadata);
  if (kind !== 'adapter') {
    throw refusal(path, `is ${kindWords[kind].is}. It is no adapter. Give a LoRA adapter in GGUF format.`);
  }
  const type = metadata.get('adapter.type');
  if (metadata.get('general.type') !== 'adapter' || type !== 'lora') {
    throw refusal(path, `is an adapter of the kind ${JSON.stringify(type ?? null)}; only LoRA adapters can be used.`);
  }
  const pairs = pairsOf(path, header.tensors);
  if (!model) return;
  const architecture = metadata.get('general.architecture');
  const wanted = model[0]?.metadata.get('general.architecture');
  if (architecture !== wanted) {
    throw refusal(path, `was made for a ${String(architecture)} model, and this is a ${String(wanted)} model.`);
  }
  const weights = new Map(model.flatMap(({ tensors }) => tensors).map((tensor) => [tensor.name, tensor]));
  for (const [name, pair] of pairs) {
    const reason = misfit(name, pair, weights);
    if (reason !== undefined) throw refusal(path, `does not fit this model: ${reason}. Give one that was made for it.`);
  }
}

function pairsOf(path: string, tensors: readonly GgufTensor[]): Map<string, Pair> {
  const halves = new Map<string, { a?: GgufTensor; b?: GgufTensor }>();
  for (const tensor of tensors) {
    const [, name, half] = /^(.+)\.lora_(a|b)$/.exec(tensor.name) ?? [];
    if (name !== undefined) halves.set(name, { ...halves.get(name), [half === 'a' ? 'a' : 'b']: tensor });
    else if (!tensor.name.endsWith(passedOver)) {
      throw refusal(path, `holds the tensor ${JSON.stringify(tensor.name)}, which is no part of a LoRA adapter.`);
    }
    if (noFactor.test(tensor.type)) {
      throw refusal(path, `holds ${JSON.stringify(tensor.name)} as ${tensor.type}. Convert it to F32, F16 or Q8_0.`);
    }
  }
  const pairs = new Map<string, Pair>();
  for (const [name, { a, b }] of halves) {
    if (!a || !b) throw refusal(path, `is damaged: one half of ${JSON.stringify(name)} is missing.`);
    pairs.set(name, { a, b });
  }
  if (pairs.size === 0) throw refusal(path, 'holds no weights.');
  return pairs;
}

/** Why the product cannot be added, as the end of a sentence. */
function misfit(name: string, { a, b }: Pair, weights: ReadonlyMap<string, GgufTensor>): string | undefined {
  const weight = weights.get(name);
  const shown = JSON.stringify(name);
  if (!weight) return `the model has no tensor ${shown}`;
  if (weight.type === 'NVFP4') return `llama.cpp adds nothing to weights like ${shown}, which are ${weight.type}`;
  const [inputs, outputs, ...more] = sides(weight);
  const [aFirst, aSecond, ...aMore] = sides(a);
  const [bFirst, bSecond, ...bMore] = sides(b);
  // Rows of embeddings are looked up, not multiplied, so both halves lie the other way round.
  const isEmbedding = name === embedding;
  const fits = isEmbedding
    ? bSecond === inputs && aSecond === outputs && aFirst === bFirst
    : aFirst === inputs && bSecond === outputs && aSecond === bFirst;
  if (!fits || String(aMore) !== String(more) || String(bMore) !== String(more)) {
    return `what it adds to ${shown} has another shape (${shape(a)} and ${shape(b)} for ${shape(weight)})`;
  }
  if (isEmbedding && !weights.has('output.weight')) {
    return `its ${shown} is the model's output too, to which llama.cpp cannot add such weights`;
  }
  return undefined;
}

function sides({ shape: [first = 1, second = 1, third = 1, fourth = 1] }: GgufTensor): readonly number[] {
  return [first, second, third, fourth];
}

function shape(tensor: GgufTensor): string {
  return tensor.shape.join(' x ');
}

function refusal(path: string, words: string): ServeError {
  return new ServeError('invalid_request', `${path} ${words}`, { param: path });
}
