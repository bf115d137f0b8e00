import { effortOfUnknown, efforts } from '../../contract/request.ts';

/** A field whose values its vendor adds to at will, while what the answer is does not hang on them. */
interface VendorField {
  /** As the client spells it. */
  readonly field: string;
  readonly known: readonly string[];
  /** New words for something that is known under another one. */
  readonly takenAs?: Readonly<Record<string, string>>;
  /** What every other word is taken as: a new release of a client must not break on it. */
  readonly otherwise: string;
}

const verbosities = ['low', 'medium', 'high'] as const;

/**
 * All of them. Enums whose value changes what the answer is stay strict: roles, content parts, tool_choice, the forms of
 * response_format, encoding_format, reasoning_format. So do the words of our own extensions. Efforts are the
 * template's matter (src/prompt/efforts.ts), which may have its own words for them.
 */
const vendorFields = {
  /** Anthropic's `thinking`; `auto` is Claude Code's newest word. */
  thinkingType: {
    field: 'thinking.type',
    known: ['enabled', 'adaptive', 'disabled', 'between_tools'],
    takenAs: { auto: 'adaptive' },
    otherwise: 'adaptive',
  },
  thinkingDisplay: {
    field: 'thinking.display',
    known: ['summarized', 'omitted'],
    takenAs: { updates: 'summarized' },
    otherwise: 'summarized',
  },
  /** The same object in chat completions, where DeepSeek and Doubao say `auto` as well. */
  chatThinkingType: {
    field: 'thinking.type',
    known: ['enabled', 'disabled', 'adaptive', 'auto'],
    otherwise: 'adaptive',
  },
  /** `disabled` answers what does not fit with an error: nothing is left out that was not meant to be. */
  truncation: { field: 'truncation', known: ['auto', 'disabled'], otherwise: 'disabled' },
  summary: { field: 'reasoning.summary', known: ['auto', 'concise', 'detailed', 'none'], otherwise: 'auto' },
  verbosity: { field: 'text.verbosity', known: verbosities, otherwise: 'medium' },
  chatVerbosity: { field: 'verbosity', known: verbosities, otherwise: 'medium' },
  /** There is one tier: what is asked for changes nothing, and neither do the next three. */
  serviceTier: { field: 'service_tier', known: ['auto', 'default', 'flex', 'scale', 'priority'], otherwise: 'default' },
  promptCacheRetention: {
    field: 'prompt_cache_retention',
    known: ['in_memory', 'in-memory', '24h'],
    otherwise: 'in_memory',
  },
  messagesServiceTier: { field: 'service_tier', known: ['auto', 'standard_only'], otherwise: 'auto' },
  messagesSpeed: { field: 'speed', known: ['standard', 'fast'], otherwise: 'standard' },
} as const satisfies Record<string, VendorField>;

export type VendorFieldName = keyof typeof vendorFields;
export type VendorValue<Name extends VendorFieldName> = (typeof vendorFields)[Name]['known'][number];

/** The value as one of those that are known, with a warning where it was another word. */
export function takeVendorValue<Name extends VendorFieldName>(
  name: Name,
  value: string | undefined,
  warn: (sentence: string) => void,
): VendorValue<Name> | undefined {
  const { field, known, takenAs, otherwise }: VendorFieldOf<VendorValue<Name>> = vendorFields[name];
  if (value === undefined) return undefined;
  const meant = known.find((one) => one === value);
  if (meant !== undefined) return meant;
  const taken = (Object.hasOwn(takenAs ?? {}, value) ? takenAs?.[value] : undefined) ?? otherwise;
  warn(`${field} ${JSON.stringify(value.slice(0, 60))} is not known here and was taken as ${JSON.stringify(taken)}`);
  return taken;
}

interface VendorFieldOf<Value extends string> {
  readonly field: string;
  readonly known: readonly Value[];
  readonly takenAs?: Readonly<Record<string, Value>>;
  readonly otherwise: Value;
}

/** Templates may have words of their own, so this only tells; what was made of it is said when the prompt is written. */
export function warnOfUnknownEffort(field: string, effort: string | undefined, warn: (sentence: string) => void): void {
  if (effort === undefined || effort === 'none' || efforts.includes(effort)) return;
  const word = JSON.stringify(effort.slice(0, 60));
  warn(`${field} ${word} is not known here and is taken as "${effortOfUnknown}" unless the chat template knows it`);
}

/** OpenAI's `include` asks for more of what hosted tools did; what is in this list either holds here or has nothing to show. */
const includable: readonly string[] = [
  'reasoning.encrypted_content',
  'message.output_text.logprobs',
  'message.input_image.image_url',
  'file_search_call.results',
  'web_search_call.results',
  'web_search_call.action.sources',
  'computer_call_output.output.image_url',
  'code_interpreter_call.outputs',
];

export function warnOfUnknownIncludes(include: readonly string[] | undefined, warn: (sentence: string) => void): void {
  for (const value of include ?? [])
    if (!includable.includes(value))
      warn(`include ${JSON.stringify(value.slice(0, 60))} is not known here and was ignored`);
}
