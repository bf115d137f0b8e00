import { z } from 'zod';
import type { GenerationRequest, Reasoning, RequestKeys, Sampling } from '../../contract/request.ts';
import { advancedSamplingFields, toAdvancedSampling } from './advanced-sampling.ts';
import { defined } from './defined.ts';
import { seedField, seedOfChoice, toSeed } from './seed.ts';
import { optional, rule, show } from './validate.ts';

/**
 * Fields that mean the same wherever they turn up: spread them into a dialect's `z.object({...})` and let a dialect's own
 * range win by writing its field after the spread. All are optional, null is absent.
 */
export const samplingFields = {
  temperature: optional(z.number().min(0).max(2)),
  top_p: optional(z.number().min(0).max(1)),
  /** 0 or -1: off. */
  top_k: optional(z.int().min(-1)),
  min_p: optional(z.number().min(0).max(1)),
  frequency_penalty: optional(z.number().min(-2).max(2)),
  presence_penalty: optional(z.number().min(-2).max(2)),
  repetition_penalty: optional(z.number().gt(0).max(10)),
  /** The same under llama.cpp's name. */
  repeat_penalty: optional(z.number().gt(0).max(10)),
  /** -1: a random one, as if absent. */
  seed: seedField,
  /** Checked by hand: a schema would look at a million entries before it counted them. */
  logit_bias: optional(z.unknown()).transform((bias, context) => toLogitBias(bias, context)),
  ignore_eos: optional(z.boolean()),
  ...advancedSamplingFields,
} as const;

/** Adapters by their ids. Scales far above 1 make values that are no numbers, which cost every slot a copy of its state. */
export const adapterScales = z
  .array(z.looseObject({ id: z.int().min(0), scale: z.number().min(-1000).max(1000) }))
  .max(1000);

/** Extensions of this server that every generating dialect takes. */
export const extensionFields = {
  cache_prompt: optional(z.boolean()),
  /** Of vLLM: only requests with the same one share evaluated prompts. */
  cache_salt: optional(z.string().min(1).max(512)),
  session_id: optional(z.string().max(512)),
  cancel_id: optional(z.string().max(512)),
  /** Of a stream: it goes on when its reader leaves, and can be read on at /api/runs. */
  resumable: optional(z.boolean()),
  /** 1 (low) to 5 (high). */
  priority: optional(z.int().min(1).max(5)),
  /** llama.cpp's: exactly these adapters. */
  lora: optional(adapterScales),
  /** The Studio API's: the server's own adapters, none, or one by its name. */
  use_adapter: optional(z.union([z.boolean(), z.string().max(512)])),
} as const;

/** How the thinking is controlled beside a dialect's own words. */
export const reasoningFields = {
  enable_thinking: optional(z.boolean()),
  chat_template_kwargs: optional(z.record(z.string(), z.json())),
  /** Tokens; 0 is no thinking, -1 no limit. */
  reasoning_budget: optional(z.int().min(-1)),
  /** The same under the names of vLLM and llama.cpp. */
  thinking_token_budget: optional(z.int().min(-1)),
  thinking_budget_tokens: optional(z.int().min(-1)),
  /** The thought may be ended by /v1/chat/completions/control. */
  reasoning_control: optional(z.boolean()),
  reasoning_format: optional(z.enum(['auto', 'none', 'deepseek', 'deepseek-legacy'])),
} as const;

/** Constraints outside of `response_format`. */
export const grammarFields = {
  grammar: optional(z.string()),
  json_schema: optional(z.json()),
} as const;

const maxStops = 16;
const maxStopCharacters = 1000;

/** One text or up to 16; an empty text stops nothing and is dropped. */
export const stopField = optional(
  z.union([z.string().max(maxStopCharacters), z.array(z.string().max(maxStopCharacters)).max(maxStops)]),
).transform((stop) => (typeof stop === 'string' ? [stop] : (stop ?? [])).filter((text) => text !== ''));

/** -1 is the rest of the context; absent too. */
export const maxTokensField = optional(
  rule(z.int(), (value) => value === -1 || value >= 1, 'at least 1, or -1 for the rest of the context'),
);

/** The same where a request may have its prompt read, and nothing written. */
export const maxTokensOrNoneField = optional(
  rule(z.int(), (value) => value >= -1, 'at least 0 (reads the prompt only), or -1 for the rest of the context'),
);

type Fields<T extends Record<string, z.ZodType>> = Partial<z.output<z.ZodObject<T>>>;

function toSampling(body: Fields<typeof samplingFields>): Sampling {
  return defined({
    temperature: body.temperature,
    topP: body.top_p,
    topK: body.top_k,
    minP: body.min_p,
    seed: toSeed(body.seed),
    repeatPenalty: body.repetition_penalty ?? body.repeat_penalty,
    frequencyPenalty: body.frequency_penalty,
    presencePenalty: body.presence_penalty,
    logitBias: body.logit_bias,
    minTokens: body.min_tokens || undefined,
    advanced: toAdvancedSampling(body),
  });
}

/** `user` names a person, `cacheKey` (OpenAI's prompt_cache_key) a conversation. */
function toKeys(
  body: Fields<typeof extensionFields>,
  hints: { user?: string | undefined; cacheKey?: string | undefined } = {},
): RequestKeys {
  return defined({
    sessionId: body.session_id ?? hints.cacheKey,
    cancelId: body.cancel_id,
    userHint: hints.user,
  });
}

/** The members of a GenerationRequest that come from the fields above; the dialect adds its prompt, stops and limits. */
export function toRequestOptions(
  body: Fields<typeof samplingFields & typeof extensionFields>,
  hints: { user?: string | undefined; cacheKey?: string | undefined } = {},
): Pick<
  GenerationRequest,
  'sampling' | 'ignoreEos' | 'cachePrompt' | 'cacheSalt' | 'priority' | 'resumable' | 'keys' | 'adapters'
> {
  const adapters = body.lora?.map(({ id, scale }) => ({ id, scale })) ?? body.use_adapter;
  return {
    sampling: toSampling(body),
    ignoreEos: body.ignore_eos ?? false,
    cachePrompt: body.cache_prompt ?? true,
    ...(body.cache_salt !== undefined && { cacheSalt: body.cache_salt }),
    priority: body.priority ?? 3,
    ...(body.resumable && { resumable: true }),
    keys: toKeys(body, hints),
    ...(adapters !== undefined && { adapters }),
  };
}

/** `effort` none switches thinking off, every other one stays as it was spelled. */
export function toReasoning(body: Fields<typeof reasoningFields>, effort?: string | undefined): Reasoning {
  const fromTemplate = body.chat_template_kwargs?.enable_thinking;
  const asked = body.enable_thinking ?? (typeof fromTemplate === 'boolean' ? fromTemplate : undefined);
  return defined({
    enabled: asked ?? (effort === 'none' ? false : undefined),
    effort: effort === 'none' ? undefined : effort,
    budget: body.reasoning_budget ?? body.thinking_token_budget ?? body.thinking_budget_tokens,
    endable: body.reasoning_control || undefined,
    format: toReasoningFormat(body.reasoning_format),
  });
}

/** DeepSeek's spellings only rename the field that we send under both names anyway. */
function toReasoningFormat(format: string | undefined): Reasoning['format'] {
  if (format === undefined) return undefined;
  return format === 'none' ? 'none' : 'auto';
}

/** The same request for choice number `choice`: a given seed counts up, so that choices differ and can be repeated. */
export function forChoice(request: GenerationRequest, choice: number): GenerationRequest {
  const seed = request.sampling.seed;
  if (choice === 0 || seed === undefined) return request;
  return { ...request, sampling: { ...request.sampling, seed: seedOfChoice(seed, choice) } };
}

const maxBiases = 10_000;

/** OpenAI's object or llama.cpp's pairs, where false bans the token. */
function toLogitBias(bias: unknown, context: z.RefinementCtx): ReadonlyMap<number, number> | undefined {
  if (bias === undefined) return undefined;
  try {
    return new Map(biasPairs(bias).map(readBias));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    context.addIssue({ code: 'custom', message: error.message });
    return z.NEVER;
  }
}

function biasPairs(bias: unknown): readonly unknown[] {
  if (typeof bias !== 'object' || bias === null)
    throw new TypeError('`logit_bias` must be an object of token numbers and biases, or a list of such pairs.');
  const pairs: readonly unknown[] = Array.isArray(bias) ? bias : Object.entries(bias);
  if (pairs.length > maxBiases)
    throw new TypeError(`\`logit_bias\` has ${pairs.length} entries, but at most ${maxBiases} are allowed.`);
  return pairs;
}

function readBias(pair: unknown): [number, number] {
  const [key, value]: readonly unknown[] = Array.isArray(pair) ? pair : [];
  const token = typeof key === 'number' || (typeof key === 'string' && key !== '') ? Number(key) : Number.NaN;
  if (!Number.isInteger(token) || token < 0)
    throw new TypeError(
      `\`logit_bias\` must name tokens by their number, not ${show(key)}. /tokenize tells the numbers.`,
    );
  const amount = value === false ? -100 : value;
  if (typeof amount !== 'number' || !(amount >= -100 && amount <= 100))
    throw new TypeError(`\`logit_bias\` of token ${token} is ${show(value)}, but must lie between -100 and 100.`);
  return [token, amount];
}
