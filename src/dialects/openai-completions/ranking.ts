import type { GenerationResult } from '../../contract/events.ts';
import type { CompletionsCall } from './request.ts';

/**
 * Which generations are shown, in the order of the choices. With `best_of` each prompt keeps the `n` candidates with the
 * highest log probability per token.
 */
export function bestOf(call: CompletionsCall, results: readonly GenerationResult[]): readonly number[] {
  const indices = results.map((_, index) => index);
  if (call.n === call.perPrompt) return indices;
  const prompts = Math.ceil(results.length / call.perPrompt);
  return Array.from({ length: prompts }).flatMap((_, prompt) =>
    indices
      .slice(prompt * call.perPrompt, (prompt + 1) * call.perPrompt)
      .map((index) => ({ index, score: meanLogprob(results[index]) }))
      .sort((left, right) => right.score - left.score)
      .slice(0, call.n)
      .map(({ index }) => index),
  );
}

/** An empty answer was certain of nothing: it comes last. */
function meanLogprob(result: GenerationResult | undefined): number {
  const logprobs = (result?.blocks ?? []).flatMap((block) => (block.kind === 'tool-call' ? [] : block.logprobs));
  if (logprobs.length === 0) return Number.NEGATIVE_INFINITY;
  return logprobs.reduce((sum, token) => sum + token.logprob, 0) / logprobs.length;
}
