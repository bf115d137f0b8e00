import type { JsonObject, JsonValue } from './json.ts';
import type { ServerToolWish } from './server-tools.ts';

interface TextPart {
  readonly type: 'text';
  readonly text: string;
}

export interface ImagePart extends Media {
  readonly type: 'image';
}

export interface AudioPart extends Media {
  readonly type: 'audio';
}

export type MediaPart = ImagePart | AudioPart;

interface Media {
  readonly source: MediaSource;
  /** The field that it came in, for what is said of it. */
  readonly param?: string;
  /** Nobody has asked for it: where it cannot be shown to the model, a note stands for it. */
  readonly orNote?: boolean;
}

type MediaSource =
  /** A file, as base64. */
  | { readonly type: 'file'; readonly base64: string }
  | { readonly type: 'url'; readonly url: string }
  /** It was read already: the request's image or sound of this number, which are counted together. */
  | { readonly type: 'placed'; readonly index: number };

export type ContentPart = TextPart | MediaPart;

/** A string stays a string: some templates render the two differently. */
export type Content = string | readonly ContentPart[];

export function isMediaPart(part: unknown): part is MediaPart {
  return (
    typeof part === 'object' && part !== null && 'type' in part && (part.type === 'image' || part.type === 'audio')
  );
}

/** The texts of a content, joined with line breaks; images and sounds are left out. */
export function textOfContent(content: Content | null): string {
  if (content === null || typeof content === 'string') return content ?? '';
  return content.flatMap((part) => (part.type === 'text' ? [part.text] : [])).join('\n');
}

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  /** JSON text as the model or the client wrote it; malformed text is passed on as it is. */
  readonly arguments: string;
  /** In the conversation: a server has run it, see ServerTool; `name` is then the tool's own. */
  readonly server?: string;
}

export type Message =
  | { readonly role: 'system' | 'developer' | 'user'; readonly content: Content; readonly name?: string }
  | {
      readonly role: 'assistant';
      readonly content: Content | null;
      readonly reasoning?: string;
      readonly toolCalls?: readonly ToolCall[];
      readonly name?: string;
    }
  | { readonly role: 'tool'; readonly content: Content; readonly toolCallId: string; readonly name?: string };

export interface Tool {
  readonly name: string;
  readonly description?: string;
  /** JSON Schema of the arguments; absent means no arguments. */
  readonly parameters?: JsonObject;
  readonly strict?: boolean;
  /** `{type: "function", function: {...}}` as given, without invented or null fields: what templates see. */
  readonly definition: JsonObject;
  /**
   * Its place among those that the conversation has loaded: they stand after all others, of servers too, so that the
   * prompt begins as it did before.
   */
  readonly loadedAt?: number;
  /** A free-form tool (Responses `custom`): the call's arguments are `{"input": text}`. */
  readonly freeform?: { readonly grammar?: string };
}

export type ToolChoice =
  | { readonly type: 'auto' | 'none' | 'required' }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'allowed'; readonly mode: 'auto' | 'required'; readonly names: readonly string[] };

/** Whether the answer has to be a call. */
export function requiresCall(choice: ToolChoice): boolean {
  return (
    choice.type === 'required' ||
    choice.type === 'function' ||
    (choice.type === 'allowed' && choice.mode === 'required')
  );
}

/** Absent members take the model's recommendation from the GGUF, else the server's default. */
export interface Sampling {
  /** 0 is greedy. */
  readonly temperature?: number;
  readonly topP?: number;
  /** 0 or less: off. */
  readonly topK?: number;
  readonly minP?: number;
  readonly seed?: number;
  /** 1 is off. */
  readonly repeatPenalty?: number;
  readonly frequencyPenalty?: number;
  readonly presencePenalty?: number;
  /** Token id -> bias added to its logit, -100 to 100 as in OpenAI's API. */
  readonly logitBias?: ReadonlyMap<number, number>;
  /** Tokens before the answer may end by itself. */
  readonly minTokens?: number;
  readonly advanced?: AdvancedSampling;
}

/** What llama.cpp's samplers know besides, in its meanings; absent members take its defaults. */
export interface AdvancedSampling {
  /** The order of the samplers; those not named are not used. */
  readonly samplers?: readonly SamplerName[];
  /** 1 is off. */
  readonly typicalP?: number;
  /** Below 0: off. */
  readonly topNSigma?: number;
  /** 0 is off; the temperature then goes from `temperature - range` to `temperature + range`. */
  readonly dynamicTemperatureRange?: number;
  readonly dynamicTemperatureExponent?: number;
  /** In place of the other samplers: 1 or 2, 0 is off. */
  readonly mirostat?: 0 | 1 | 2;
  readonly mirostatTau?: number;
  readonly mirostatEta?: number;
  /** 0 is off. */
  readonly xtcProbability?: number;
  readonly xtcThreshold?: number;
  /** 0 is off. */
  readonly dryMultiplier?: number;
  readonly dryBase?: number;
  readonly dryAllowedLength?: number;
  /** Tokens that DRY looks back over; -1: the context. */
  readonly dryWindow?: number;
  readonly drySequenceBreakers?: readonly string[];
  /** Tokens that the penalties look back over; -1: the context, 0: off. */
  readonly penaltyWindow?: number;
  /** Only where `samplers` names it. */
  readonly adaptiveTarget?: number;
  readonly adaptiveDecay?: number;
  /** Candidates that the cutting samplers leave at least. */
  readonly minKeep?: number;
}

/** In llama-server's spelling. */
export const samplerNames = [
  'penalties',
  'dry',
  'top_n_sigma',
  'top_k',
  'typ_p',
  'top_p',
  'min_p',
  'xtc',
  'temperature',
  'infill',
  'adaptive_p',
] as const;
export type SamplerName = (typeof samplerNames)[number];

/** What form the answer's text must have. Reasoning stays free. */
export type OutputShape =
  | { readonly type: 'text' }
  | { readonly type: 'json' }
  | { readonly type: 'json-schema'; readonly schema: JsonValue; readonly name?: string; readonly strict?: boolean }
  /** Raw GBNF. */
  | { readonly type: 'grammar'; readonly grammar: string };

/** The efforts that clients know, from the least on; `none` is no thinking. */
export const efforts: readonly string[] = ['minimal', 'low', 'medium', 'high', 'xhigh', 'max'];
/** What a word is taken as that neither they nor the template know: new ones are mostly high ones. */
export const effortOfUnknown = 'high';

/** Reasoning wishes; absent members leave the choice to the template. */
export interface Reasoning {
  readonly enabled?: boolean;
  /** As the client spelled it: minimal, low, medium, high ... `none` arrives as enabled: false. */
  readonly effort?: string;
  /** Tokens; 0 = no thinking, -1 = no limit. */
  readonly budget?: number;
  /** Others may end the thought while it lasts. */
  readonly endable?: boolean;
  /** `none` leaves the tags in the text. */
  readonly format?: 'auto' | 'none';
}

export type Prompt =
  | ChatPrompt
  /** Special tokens spelled in the text are parsed, because people send ready ChatML. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'tokens'; readonly tokens: readonly number[] }
  /** Text, tokens and images, in turns. */
  | { readonly type: 'mixed'; readonly parts: readonly (string | number | MediaPart)[] }
  /** Fill in the middle; texts never become control tokens. */
  | {
      readonly type: 'infill';
      readonly prefix: string;
      readonly suffix: string;
      readonly extra: readonly { readonly name: string; readonly text: string }[];
    };

export interface ChatPrompt {
  readonly type: 'chat';
  readonly messages: readonly Message[];
  readonly tools: readonly Tool[];
  readonly toolChoice: ToolChoice;
  readonly parallelToolCalls?: boolean;
  readonly reasoning: Reasoning;
  /** chat_template_kwargs: copied into the template's variables as they are, last. */
  readonly templateVariables: JsonObject;
  readonly documents?: readonly JsonValue[];
  /** Default true: a final assistant message is continued (prefill). */
  readonly continueFinalMessage: boolean;
  readonly autoHealToolCalls?: boolean;
}

/** How much of an adapter is added: 0 nothing, 1 all of it. */
export interface AdapterScale {
  readonly id: number;
  readonly scale: number;
}

/** The server's own scales (true), none at all (false), one adapter by its name, or exactly these. */
export type AdapterWish = boolean | string | readonly AdapterScale[];

/** Where a request belongs and how it can be found again. */
export interface RequestKeys {
  /** Whose it is, see Caller, set by the door: the other keys are found by those only who see this owner. */
  readonly owner?: string;
  /** A conversation: keeps it on its slot. */
  readonly sessionId?: string;
  /** A person (`user`, `metadata.user_id`): only a hint below the longest prefix. */
  readonly userHint?: string;
  /** Unique per run: a cancel call finds exactly this one. */
  readonly cancelId?: string;
  /** The completion / response / message id of the answer, set by the door. */
  readonly answerId?: string;
}

/** One choice to generate, already valid: defaults that depend on the model are still open. */
export interface GenerationRequest {
  /** As the client asked; undefined or unknown names are served by the default model. */
  readonly model?: string;
  readonly prompt: Prompt;
  readonly sampling: Sampling;
  /** -1: the rest of the context. 0: the prompt is read, and kept for who comes next. */
  readonly maxTokens: number;
  /**
   * A chat that does not fit the context: an error (default), or its oldest messages are left out until it does. System
   * and developer messages at its head and its last message always stay; a tool's output goes with its call.
   */
  readonly overflow?: 'error' | 'drop-oldest';
  readonly stop: readonly string[];
  readonly outputShape: OutputShape;
  readonly logprobs?: { readonly top: number };
  readonly promptLogprobs?: { readonly top: number };
  readonly ignoreEos: boolean;
  /** Absent: the server's own scales. */
  readonly adapters?: AdapterWish;
  /** False: nothing that others left is used, and nothing of this request serves others. */
  readonly cachePrompt: boolean;
  /** Only requests with the same salt share evaluated prompts. */
  readonly cacheSalt?: string;
  /** Set by the door: only requests of the same scope share what was evaluated of them, prompts and images. */
  readonly cacheScope?: string;
  /** 1 (low) to 5 (high). */
  readonly priority: number;
  /** Set by the door for callers who may: tools that the server runs for the model. Chats only. */
  readonly serverTools?: ServerToolWish;
  /** Tell the place in the queue and how far the prompt is read. */
  readonly progress?: boolean;
  /** The answer goes on when its reader leaves, and can be read on later. */
  readonly resumable?: boolean;
  readonly keys: RequestKeys;
  /** Show control tokens of the answer as text (raw completions that ask for it). */
  readonly showSpecialTokens?: boolean;
}

/** Defaults shared by all dialects; a dialect spreads its own findings over them. */
export const requestDefaults = {
  sampling: {},
  maxTokens: -1,
  stop: [],
  outputShape: { type: 'text' },
  ignoreEos: false,
  cachePrompt: true,
  priority: 3,
  keys: {},
} as const satisfies Omit<GenerationRequest, 'prompt'>;
