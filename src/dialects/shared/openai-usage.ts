import type { FinishEvent, FinishReason } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';

/** What the finish events of an answer's choices add up to. The prompt counts once however many choices it had. */
interface Totals {
  readonly inputTokens: number;
  readonly cachedTokens: number;
  readonly outputTokens: number;
  readonly reasoningTokens: number;
  readonly promptMs: number;
  readonly predictedMs: number;
  readonly queueMs: number;
}

/** OpenAI's usage object of one answer, one finish event per choice of the same prompt. */
export function openaiUsage(finishes: readonly FinishEvent[]): JsonObject {
  const total = totals(finishes);
  return {
    prompt_tokens: total.inputTokens,
    completion_tokens: total.outputTokens,
    total_tokens: total.inputTokens + total.outputTokens,
    prompt_tokens_details: { cached_tokens: total.cachedTokens },
    completion_tokens_details: { reasoning_tokens: total.reasoningTokens },
    ...roundsOf(finishes),
  };
}

/** An extension: what each round took, where the server ran tools between them. */
function roundsOf(finishes: readonly FinishEvent[]): { readonly rounds?: JsonObject[] } {
  const rounds = finishes.flatMap(({ usage }) => usage.rounds ?? []);
  if (rounds.length === 0) return {};
  return {
    rounds: rounds.map(({ inputTokens, cachedTokens, outputTokens }) => ({
      prompt_tokens: inputTokens,
      cached_tokens: cachedTokens,
      completion_tokens: outputTokens,
    })),
  };
}

/** llama.cpp's `timings`, an extension: milliseconds, and tokens per second (0 where nothing was measured). */
export function openaiTimings(finishes: readonly FinishEvent[]): JsonObject {
  const total = totals(finishes);
  const evaluated = total.inputTokens - total.cachedTokens;
  return {
    queue_ms: total.queueMs,
    cache_n: total.cachedTokens,
    prompt_n: evaluated,
    prompt_ms: total.promptMs,
    prompt_per_second: perSecond(evaluated, total.promptMs),
    predicted_n: total.outputTokens,
    predicted_ms: total.predictedMs,
    predicted_per_second: perSecond(total.outputTokens, total.predictedMs),
  };
}

/** OpenAI's finish_reason. */
export function openaiFinishReason(reason: FinishReason): 'stop' | 'length' | 'tool_calls' {
  return reason === 'tool-calls' ? 'tool_calls' : reason;
}

/**
 * Choices share the evaluation of their prompt, so the one that found least in the cache is the one that paid for it:
 * its figures are the request's.
 */
function totals(finishes: readonly FinishEvent[]): Totals {
  const sum = (count: (finish: FinishEvent) => number) => finishes.reduce((total, finish) => total + count(finish), 0);
  const most = (count: (finish: FinishEvent) => number) =>
    finishes.reduce((top, finish) => Math.max(top, count(finish)), 0);
  const payer = finishes.reduce<FinishEvent | undefined>(
    (least, finish) => (least && least.usage.cachedTokens <= finish.usage.cachedTokens ? least : finish),
    undefined,
  );
  return {
    inputTokens: payer?.usage.inputTokens ?? 0,
    cachedTokens: payer?.usage.cachedTokens ?? 0,
    promptMs: payer?.timings.promptMs ?? 0,
    queueMs: payer?.timings.queueMs ?? 0,
    outputTokens: sum(({ usage }) => usage.outputTokens),
    reasoningTokens: sum(({ usage }) => usage.reasoningTokens),
    predictedMs: most(({ timings }) => timings.predictedMs),
  };
}

function perSecond(tokens: number, milliseconds: number): number {
  return milliseconds > 0 ? (tokens / milliseconds) * 1000 : 0;
}
