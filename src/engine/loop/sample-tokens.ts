import type { GeneratedToken, RunResult } from '../engine.ts';
import { areNumbers } from './no-numbers.ts';
import type { LoopRun } from './run.ts';
import { noToken } from './run-sampler.ts';
import type { Slot } from './slot.ts';
import type { Guesser } from './speculation.ts';

export interface Sampled {
  readonly tokens: readonly GeneratedToken[];
  /** What may follow: evaluated together with the last token. */
  readonly guesses: readonly number[];
  readonly end: RunResult['reason'] | undefined;
}

interface SampleTools {
  readonly slot: Slot;
  readonly guesser: Guesser | undefined;
  readonly isEndOfGeneration: (token: number) => boolean;
}

/**
 * Samples after the last certain token and goes on after every guess that proves right. The sampler sees exactly the
 * tokens it would have seen one by one, so the output does not depend on the guesses.
 */
export function sampleTokens(run: LoopRun, places: readonly number[], tools: SampleTools): Sampled {
  const { job, guessed, sampler } = run;
  const tokens: GeneratedToken[] = [];
  let end: Sampled['end'];
  for (const place of places) {
    // What was sampled is counted and stays; the next step finds the same after it.
    if (tokens.length > 0 && !areNumbers(sampler.logits(place))) break;
    const token = sampler.sample(place);
    end = endOf(run, token, tools.isEndOfGeneration);
    if (end) break;
    tokens.push(withLogprob(run, token, () => sampler.logits(place)));
    if (run.outputTokens + tokens.length >= job.maxTokens || guessed[tokens.length - 1] !== token) break;
  }
  const confirmed = tokens.length - (end ? 0 : 1);
  if (guessed.length > 0) tools.slot.cut(tools.slot.tokens.length - guessed.length + Math.max(0, confirmed));
  return { tokens, end, guesses: end || !tools.guesser ? [] : guess(run, tokens, tools.guesser) };
}

/** The same of logits that were kept, one token. */
export function sampleKept(run: LoopRun, logits: Float32Array, isEndOfGeneration: (token: number) => boolean): Sampled {
  const token = run.sampler.sampleFrom(logits);
  const end = endOf(run, token, isEndOfGeneration);
  return { tokens: end ? [] : [withLogprob(run, token, () => logits)], end, guesses: [] };
}

function withLogprob({ job, sampler }: LoopRun, token: number, logits: () => Float32Array): GeneratedToken {
  if (!job.logprobs) return { token, forced: false };
  return { token, forced: false, logprob: sampler.logprob(logits(), token, job.logprobs.top) };
}

function endOf(run: LoopRun, token: number, isEndOfGeneration: SampleTools['isEndOfGeneration']): Sampled['end'] {
  if (token === noToken) return 'grammar-end';
  const ends = isEndOfGeneration(token) && (!run.job.ignoreEos || run.sampler.grammarActive);
  return ends ? 'end-of-generation' : undefined;
}

/** Never beyond the budget: the last token is not evaluated any more. */
function guess(run: LoopRun, tokens: readonly GeneratedToken[], guesser: Guesser): readonly number[] {
  const room = run.job.maxTokens - run.outputTokens - tokens.length - 1;
  if (room <= 0) return [];
  if (run.prefilling) guesser.begin(run.job.prompt, run.cachedTokens);
  return guesser.follow(tokens.map(({ token }) => token)).slice(0, room);
}

/** The raw log probability of each prompt token behind the piece that was just evaluated; true when all are there. */
export function readPromptLogprobs(run: LoopRun, tokens: number, places: readonly number[]): boolean {
  const { promptLogprobs, sampler, job } = run;
  if (!promptLogprobs) return false;
  const first = run.position - tokens;
  for (let at = 0; at < tokens; at++) {
    const next = run.input[first + at + 1];
    if (next === undefined) break;
    promptLogprobs.push(sampler.logprob(sampler.logits(places[at] ?? 0), next, job.promptLogprobs?.top ?? 0));
  }
  return run.waiting === 0;
}
