import { z } from 'zod';
import { isJsonObject } from '../../contract/json.ts';
import type { GenerationRequest, Prompt } from '../../contract/request.ts';
import type { ParsedCall } from '../dialect.ts';
import { responseFormatField, toOutputShape } from '../openai-chat/response-format.ts';
import { defined } from '../shared/defined.ts';
import { ignoredSamplers } from '../shared/ignored-samplers.ts';
import { progressField, wantsProgress } from '../shared/progress.ts';
import {
  extensionFields,
  forChoice,
  grammarFields,
  maxTokensOrNoneField,
  samplingFields,
  stopField,
  toRequestOptions,
} from '../shared/sampling.ts';
import { textOrTokens } from '../shared/text-or-tokens.ts';
import { optional, validate } from '../shared/validate.ts';

export interface CompletionsCall extends ParsedCall {
  /** Choices shown per prompt. */
  readonly n: number;
  /** Generations per prompt, `n` or `best_of`: generation g belongs to prompt floor(g / perPrompt). */
  readonly perPrompt: number;
  readonly echo: boolean;
  /** The echo is written from the prompt's own tokens: their log probabilities were asked for, or it came as tokens. */
  readonly promptLogprobs: boolean;
  /** Candidates per token; undefined: no `logprobs` in the answer. */
  readonly logprobs: number | undefined;
  readonly includeUsage: boolean;
}

const maxChoices = 128;
/** OpenAI's limit for a list of prompts. */
const maxPrompts = 2048;

/** https://platform.openai.com/docs/api-reference/completions/create, with the extensions of every endpoint. */
export const completionsBody = z.object({
  model: optional(z.string()),
  prompt: textOrTokens(z.string(), maxPrompts),
  suffix: optional(z.string()),
  max_tokens: maxTokensOrNoneField,
  n: optional(z.int().min(1).max(maxChoices)),
  best_of: optional(z.int().min(1).max(maxChoices)),
  echo: optional(z.boolean()),
  logprobs: optional(z.int().min(0).max(20)),
  stop: stopField,
  stream: optional(z.boolean()),
  stream_options: optional(z.object({ include_usage: optional(z.boolean()) })),
  user: optional(z.string()),
  ...samplingFields,
  ...extensionFields,
  ...grammarFields,
  ...progressField,
  response_format: responseFormatField,
});

/** What one field alone cannot know. */
const checked = completionsBody.superRefine((body, context) => {
  const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
  if (body.suffix && body.echo) refuse('echo', '`echo` cannot be combined with `suffix`. Send one of them.');
  if (body.suffix && !isText(body.prompt))
    refuse('suffix', '`suffix` needs `prompt` as text, not as token numbers. /detokenize turns them into text.');
  if (body.best_of !== undefined && body.best_of < (body.n ?? 1))
    refuse('best_of', `\`best_of\` is ${body.best_of}, but must be at least \`n\`, which is ${body.n ?? 1}.`);
  if ((body.best_of ?? 1) > (body.n ?? 1) && body.stream)
    refuse('best_of', '`best_of` cannot be streamed, as the best is known at the end. Set `stream` to false.');
});

export function parse(body: unknown): CompletionsCall {
  const wire = validate(checked, body);
  const n = wire.n ?? 1;
  const perPrompt = wire.best_of ?? n;
  const echo = wire.echo ?? false;
  const prompts = toPrompts(wire.prompt, wire.suffix);
  const promptLogprobs = echo && (wire.logprobs !== undefined || wire.max_tokens === 0 || !isText(wire.prompt));
  // Ranking the candidates needs the log probabilities of what was taken, asked for or not.
  const logprobs = wire.logprobs ?? (perPrompt > n ? 0 : undefined);
  const options = {
    ...toRequestOptions(wire, { user: wire.user }),
    maxTokens: wire.max_tokens ?? -1,
    stop: wire.stop,
    outputShape: toOutputShape(wire),
    ...defined({
      model: wire.model,
      logprobs: logprobs === undefined ? undefined : { top: logprobs },
      promptLogprobs: promptLogprobs ? { top: wire.logprobs ?? 0 } : undefined,
      progress: wantsProgress(wire),
    }),
  };
  return {
    generations: prompts.flatMap((prompt) => {
      const request: GenerationRequest = { ...options, prompt };
      return Array.from({ length: perPrompt }, (_, choice) => forChoice(request, choice));
    }),
    stream: wire.stream ?? false,
    warnings: isJsonObject(body) ? ignoredSamplers(body) : [],
    n,
    perPrompt,
    echo,
    promptLogprobs,
    logprobs: wire.logprobs,
    includeUsage: wire.stream_options?.include_usage ?? false,
  };
}

type WirePrompt = z.output<typeof completionsBody>['prompt'];

function isText(prompt: WirePrompt): boolean {
  return typeof prompt === 'string' || typeof prompt[0] === 'string';
}

/** One prompt or several: a list of numbers is one, a list of texts or of lists is as many. */
function toPrompts(prompt: WirePrompt, suffix: string | undefined): readonly Prompt[] {
  if (typeof prompt === 'string') return [toTextPrompt(prompt, suffix)];
  const tokens: number[] = [];
  const prompts: Prompt[] = [];
  for (const entry of prompt) {
    if (typeof entry === 'number') tokens.push(entry);
    else if (typeof entry === 'string') prompts.push(toTextPrompt(entry, suffix));
    else prompts.push({ type: 'tokens', tokens: entry });
  }
  return tokens.length > 0 ? [{ type: 'tokens', tokens }] : prompts;
}

/** An empty suffix leaves nothing to lead to: clients send it for "none". */
function toTextPrompt(text: string, suffix: string | undefined): Prompt {
  return suffix ? { type: 'infill', prefix: text, suffix, extra: [] } : { type: 'text', text };
}
