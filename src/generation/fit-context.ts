import { ServeError } from '../contract/errors.ts';
import type { GenerationRequest, Message } from '../contract/request.ts';
import { resolveTokenBudget } from './budget.ts';
import { type PromptTokens, promptTokens } from './prompt-tokens.ts';
import type { ModelRuntime } from './runtime.ts';

export interface FittedPrompt extends PromptTokens {
  /** How many tokens may be generated after it. */
  readonly maxTokens: number;
  /** Messages that were left out to make it fit. */
  readonly dropped: number;
}

/**
 * The prompt and its budget. context_length_exceeded when it does not fit and nothing may be left out. `read`: see
 * withReadTokens.
 */
export async function fitContext(
  runtime: ModelRuntime,
  request: GenerationRequest,
  signal: AbortSignal,
  read?: readonly number[],
): Promise<FittedPrompt> {
  const whole = await attempt({ runtime, request, signal, read }, 0);
  if (whole instanceof ServeError) return withoutOldest(runtime, request, signal, whole);
  return { ...whole, dropped: 0 };
}

export function droppedWarning(dropped: number): string {
  return `The conversation is longer than the context: its ${dropped === 1 ? 'oldest message was' : `oldest ${dropped} messages were`} left out.`;
}

/** Leaves out as few of the oldest messages as possible, found by halving: each try renders and tokenizes the prompt. */
async function withoutOldest(
  runtime: ModelRuntime,
  request: GenerationRequest,
  signal: AbortSignal,
  overflow: ServeError,
): Promise<FittedPrompt> {
  const { prompt } = request;
  if (request.overflow !== 'drop-oldest' || prompt.type !== 'chat') throw overflow;
  const units = droppableUnits(prompt.messages);
  const reserve = answerReserve(request.maxTokens, runtime.profile.contextSize);
  let fitted: FittedPrompt | undefined;
  let tooFew = 0;
  let enough = units.length + 1;
  while (enough - tooFew > 1) {
    const count = Math.floor((tooFew + enough) / 2);
    const left = new Set(units.slice(0, count).flat());
    const messages = prompt.messages.filter((message) => !left.has(message));
    const tried = await attempt({ runtime, request: { ...request, prompt: { ...prompt, messages } }, signal }, reserve);
    if (tried instanceof ServeError) tooFew = count;
    else {
      enough = count;
      fitted = { ...tried, dropped: left.size };
    }
  }
  if (fitted === undefined) throw overflow;
  return fitted;
}

interface Attempt {
  readonly runtime: ModelRuntime;
  readonly request: GenerationRequest;
  readonly signal: AbortSignal;
  readonly read?: readonly number[] | undefined;
}

/** The overflow is returned, everything else thrown. */
async function attempt(
  { runtime, request, signal, read }: Attempt,
  reserve: number,
): Promise<Omit<FittedPrompt, 'dropped'> | ServeError> {
  const { contextSize } = runtime.profile;
  try {
    const prompt = await promptTokens(runtime, request, signal, read);
    const maxTokens = resolveTokenBudget(prompt.tokens.length, contextSize, request.maxTokens);
    resolveTokenBudget(prompt.tokens.length + reserve, contextSize, request.maxTokens);
    return { ...prompt, maxTokens };
  } catch (error) {
    if (error instanceof ServeError && error.code === 'context_length_exceeded') return error;
    throw error;
  }
}

/** A prompt cut down to its last token would leave room for one token of answer: a quarter of the context is kept free. */
function answerReserve(asked: number, contextSize: number): number {
  const quarter = Math.floor(contextSize / 4);
  return Math.max(0, (asked < 0 ? quarter : Math.min(asked, quarter)) - 1);
}

/**
 * What may go, oldest first: system and developer messages stay, and so does the last message. A tool's output goes with
 * the call that it answers, because templates refuse one without the other.
 */
function droppableUnits(messages: readonly Message[]): readonly (readonly Message[])[] {
  const units: Message[][] = [];
  for (const message of messages) {
    if (message.role === 'system' || message.role === 'developer') continue;
    const last = units.at(-1);
    if (message.role === 'tool' && last) last.push(message);
    else units.push([message]);
  }
  return units.slice(0, -1);
}
