import type { JsonValue } from '../contract/json.ts';
import { tensorTypes } from '../models/gguf-tables.ts';
import type { EstimatedModel, SizedTensor } from './estimate.ts';

/** A model by what is published of it. */
interface Architecture {
  readonly id: string;
  readonly quantization: 'Q8_0' | 'Q4_K_M';
  readonly layers: number;
  readonly width: number;
  readonly feedForward: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly experts?: { readonly count: number; readonly used: number };
  /** The output is the table of the vocabulary once more. */
  readonly tied: boolean;
}

const vocabularySize = 151_936;
const headSize = 128;
const trainedContextSize = 40_960;

/**
 * The numbers of each model's config.json (Qwen/Qwen3-0.6B, -4B, -8B and -30B-A3B on the hub): num_hidden_layers,
 * hidden_size, intermediate_size (moe_intermediate_size), num_attention_heads, num_key_value_heads, num_experts,
 * num_experts_per_tok, tie_word_embeddings; all with head_dim 128, vocab_size 151936, max_position_embeddings 40960.
 */
const architectures: readonly Architecture[] = [
  {
    id: 'Qwen3-0.6B',
    quantization: 'Q8_0',
    layers: 28,
    width: 1024,
    feedForward: 3072,
    heads: 16,
    keyValueHeads: 8,
    tied: true,
  },
  {
    id: 'Qwen3-4B',
    quantization: 'Q4_K_M',
    layers: 36,
    width: 2560,
    feedForward: 9728,
    heads: 32,
    keyValueHeads: 8,
    tied: true,
  },
  {
    id: 'Qwen3-8B',
    quantization: 'Q4_K_M',
    layers: 36,
    width: 4096,
    feedForward: 12288,
    heads: 32,
    keyValueHeads: 8,
    tied: false,
  },
  {
    ...{
      id: 'Qwen3-30B-A3B',
      quantization: 'Q4_K_M',
      layers: 48,
      width: 2048,
      feedForward: 768,
      heads: 32,
      keyValueHeads: 4,
    },
    ...{ experts: { count: 128, used: 8 }, tied: false },
  },
];

/** The models that are told about where nobody names one. */
export function knownModels(): EstimatedModel[] {
  return architectures.map(describe);
}

function describe(model: Architecture): EstimatedModel {
  const { id, quantization, experts } = model;
  const architecture = experts ? 'qwen3moe' : 'qwen3';
  const tensors = tensorsOf(model);
  const facts: Record<string, JsonValue> = {
    block_count: model.layers,
    context_length: trainedContextSize,
    embedding_length: model.width,
    feed_forward_length: experts ? 3 * model.width : model.feedForward,
    'attention.head_count': model.heads,
    'attention.head_count_kv': model.keyValueHeads,
    'attention.key_length': headSize,
    'attention.value_length': headSize,
    ...(experts && {
      expert_count: experts.count,
      expert_used_count: experts.used,
      expert_feed_forward_length: model.feedForward,
    }),
  };
  return {
    id: `${id} ${quantization}`,
    architecture,
    metadata: Object.fromEntries(Object.entries(facts).map(([key, value]) => [`${architecture}.${key}`, value])),
    sizeBytes: tensors.reduce((sum, { bytes }) => sum + bytes, 0),
    vocabularySize,
    trainedContextSize,
    tensors,
  };
}

/** All but norms and the router, which are thousandths of it. Types as llama-quant.cpp of llama.cpp gives them. */
function tensorsOf({ quantization, layers, width, feedForward, experts, tied, ...model }: Architecture): SizedTensor[] {
  const isMixed = quantization === 'Q4_K_M';
  const usual = isMixed ? 'Q4_K' : 'Q8_0';
  const better = isMixed ? 'Q6_K' : 'Q8_0';
  const heads = model.heads * headSize;
  const keyValues = model.keyValueHeads * headSize;
  const each = experts?.count ?? 1;
  const suffix = experts ? '_exps' : '';
  const layer = (index: number) => {
    const some = hasMoreBits(index, layers) ? better : usual;
    const at = `blk.${index}`;
    return [
      sized(`${at}.attn_q.weight`, width * heads, usual),
      sized(`${at}.attn_k.weight`, width * keyValues, usual),
      sized(`${at}.attn_v.weight`, width * keyValues, some),
      sized(`${at}.attn_output.weight`, heads * width, usual),
      sized(`${at}.ffn_gate${suffix}.weight`, width * feedForward * each, usual),
      sized(`${at}.ffn_up${suffix}.weight`, width * feedForward * each, usual),
      sized(`${at}.ffn_down${suffix}.weight`, width * feedForward * each, some),
    ];
  };
  return [
    sized('token_embd.weight', width * vocabularySize, tied ? better : usual),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    ...(tied ? [] : [sized('output.weight', width * vocabularySize, better)]),
  ];
}

/** `use_more_bits` of llama-quant.cpp: the first and the last eighth, and every third between. */
function hasMoreBits(layer: number, layers: number): boolean {
  const eighth = Math.floor(layers / 8);
  return layer < eighth || layer >= Math.floor((7 * layers) / 8) || (layer - eighth) % 3 === 2;
}

function sized(name: string, values: number, type: string): SizedTensor {
  const format = Object.values(tensorTypes).find((each) => each.name === type);
  return { name, type, bytes: format ? (values / format.block) * format.bytes : 0 };
}
