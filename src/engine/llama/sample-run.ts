import type { GeneratedToken, RunResult } from '../engine.ts';
import type { SequenceRun } from './sequence-run.ts';
import type { Slot } from './slot.ts';
import type { Guesser } from './speculation.ts';

/** What sampling gives where the grammar allows no token. */
export const noToken = -1;

export interface Sampled {
  readonly tokens: readonly GeneratedToken[];
  /** What may follow: evaluated together with the last token. */
  readonly guesses: readonly number[];
  readonly end: RunResult['reason'] | undefined;
}

interface SampleTools {
  readonly slot: Slot;
  readonly guesser: Guesser | undefined;
  /** The token behind the last certain one, where it was drawn right behind the decode. */
  readonly drawn: PromiseSettledResult<number> | undefined;
  readonly isEndOfGeneration: (token: number) => boolean;
}

/**
 * Samples behind the last certain token and goes on behind every guess that proves right. The sampler sees exactly the
 * tokens it would have seen one by one, so the output does not depend on the guesses.
 */
export async function sampleRun(run: SequenceRun, logits: Uint32Array, tools: SampleTools): Promise<Sampled> {
  const { job, guessed, sampler } = run;
  const tokens: GeneratedToken[] = [];
  let end: Sampled['end'];
  for (const batchIndex of logits) {
    const token = tools.drawn ? drawnToken(tools.drawn) : ((await sampler?.sample(batchIndex)) ?? noToken);
    end = endOf(run, token, tools.isEndOfGeneration);
    if (end) break;
    const logprob = job.logprobs && (await sampler?.logprob(batchIndex, token, job.logprobs.top));
    tokens.push({ token, forced: false, ...(logprob && { logprob }) });
    if (run.outputTokens + tokens.length >= job.maxTokens || guessed[tokens.length - 1] !== token) break;
  }
  const confirmed = tokens.length - (end ? 0 : 1);
  if (guessed.length > 0) await tools.slot.cut(tools.slot.tokens.length - guessed.length + Math.max(0, confirmed));
  return { tokens, end, guesses: end ? [] : await guess(run, tokens, tools.guesser) };
}

/** The token that was drawn, of a run about whose tokens nothing more is asked. */
export function takeDrawn(
  run: SequenceRun,
  token: number,
  isEndOfGeneration: SampleTools['isEndOfGeneration'],
): Sampled {
  const end = endOf(run, token, isEndOfGeneration);
  return { end, tokens: end ? [] : [{ token, forced: false }], guesses: [] };
}

function drawnToken(drawn: PromiseSettledResult<number>): number {
  if (drawn.status === 'rejected') throw drawn.reason;
  return drawn.value;
}

function endOf(
  { job, sampler }: SequenceRun,
  token: number,
  isEndOfGeneration: SampleTools['isEndOfGeneration'],
): Sampled['end'] {
  if (token === noToken) return 'grammar-end';
  const ends = isEndOfGeneration(token) && (!job.ignoreEos || sampler?.grammarActive);
  return ends ? 'end-of-generation' : undefined;
}

/** Never beyond the budget: the last token is not evaluated any more. */
async function guess(run: SequenceRun, tokens: readonly GeneratedToken[], guesser: Guesser | undefined) {
  const room = run.job.maxTokens - run.outputTokens - tokens.length - 1;
  if (!guesser || room <= 0) return [];
  if (run.prefilling) await guesser.begin(run.job.prompt);
  const guesses = await guesser.follow(tokens.map(({ token }) => token));
  return guesses.slice(0, room);
}

/** Forced tokens count like generated ones and never exceed the budget. */
export function takeForced(run: SequenceRun): GeneratedToken[] {
  const room = run.job.maxTokens - run.outputTokens;
  const tokens = run.forced.slice(0, room);
  run.forced = [];
  return tokens.map((token) => ({ token, forced: true }));
}

/** The raw log probability of each prompt token behind the piece that was just evaluated. */
export async function readPromptLogprobs(run: SequenceRun, tokens: number, logits: Uint32Array): Promise<void> {
  const { promptLogprobs, sampler, job } = run;
  if (!promptLogprobs || !sampler) return;
  const first = run.position - tokens;
  for (let at = 0; at < tokens; at++) {
    const next = run.input[first + at + 1];
    if (next === undefined) break;
    promptLogprobs.push(await sampler.logprob(logits[at] ?? 0, next, job.promptLogprobs?.top ?? 0));
  }
  if (run.waiting === 0) job.onPromptLogprobs?.(promptLogprobs);
}
