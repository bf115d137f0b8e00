import { ServeError } from '../contract/errors.ts';

/** Prompts longer than this for every token of context are refused without being tokenized: no text is so dense. */
const charactersPerToken = 8;

/** Throws context_length_exceeded with estimated numbers when a prompt cannot possibly fit. Sizes in tokens and characters. */
export function refuseHopelessPrompt(characters: number, contextSize: number, asked: number): void {
  if (characters <= contextSize * charactersPerToken) return;
  throw contextExceeded({
    needed: Math.ceil(characters / charactersPerToken),
    available: contextSize,
    asked,
    estimated: true,
  });
}

/**
 * How many tokens may be generated: -1 is the rest of the context, a larger wish is clamped to it, and only a prompt
 * that leaves room for no token at all is refused. The generation so ends before the context could shift.
 */
export function resolveTokenBudget(promptTokens: number, contextSize: number, asked: number): number {
  const room = contextSize - promptTokens;
  if (asked === 0 && room >= 0) return 0;
  if (room <= 0) throw contextExceeded({ needed: promptTokens, available: contextSize, asked, estimated: false });
  return asked < 0 ? room : Math.min(asked, room);
}

function contextExceeded(tokens: { needed: number; available: number; asked: number; estimated: boolean }): ServeError {
  const { needed, available, asked, estimated } = tokens;
  const size = estimated ? `at least about ${needed} tokens (estimated from its length)` : `${needed} tokens`;
  const wish =
    asked < 0 ? 'the rest of the context was asked for the answer' : `${asked} more were asked for the answer`;
  // Agents (Pi, Continue, OpenClaw) know an overflow by OpenAI's words "maximum context length is N tokens" and compact.
  return new ServeError(
    'context_length_exceeded',
    `This model's maximum context length is ${available} tokens; the prompt has ${size} and ${wish}. Shorten the prompt or start the server with a larger --ctx-size.`,
    { tokens, param: 'messages' },
  );
}
