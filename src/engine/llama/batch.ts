import type { StepShare } from '../plan-step.ts';
import type { NativeContext } from './native.ts';
import type { SequenceRun } from './sequence-run.ts';
import type { Slot } from './slot.ts';

/** A run's part in the step that is being decoded. */
export interface Participant {
  readonly slot: Slot;
  readonly run: SequenceRun;
  readonly share: StepShare;
  /** Batch indexes whose logits may be sampled. */
  readonly logits: Uint32Array;
  /** Its next token, where it was drawn right behind the decode. */
  drawn?: PromiseSettledResult<number> | undefined;
}

export interface BatchTokens {
  readonly prefillTokens: number;
  readonly decodeTokens: number;
  readonly sequences: number;
}

/** Writes the shares into the native batch. */
export function fillBatch(
  context: NativeContext,
  slots: readonly Slot[],
  shares: readonly StepShare[],
): readonly Participant[] {
  context.initBatch(tokensOf(shares));
  const participants: Participant[] = [];
  for (const share of shares) {
    const slot = slots[share.slot];
    const run = slot?.run;
    if (!slot || !run) continue;
    if (share.tokens < run.waiting) run.dropGuessesBehind(share.tokens);
    const tokens = Uint32Array.from(run.input.slice(run.position, run.position + share.tokens));
    const logits = context.addToBatch(slot.id, slot.tokens.length, tokens, wantedLogits(run, share.tokens));
    participants.push({ slot, run, share, logits });
  }
  return participants;
}

export function tokensOf(shares: readonly StepShare[]): number {
  return shares.reduce((sum, { tokens }) => sum + tokens, 0);
}

/** The batch was decoded: the slots hold its tokens. */
export function countBatch(participants: readonly Participant[]): BatchTokens {
  let prefillTokens = 0;
  let decodeTokens = 0;
  for (const { slot, run, share } of participants) {
    for (let at = 0; at < share.tokens; at++) slot.tokens.push(run.input[run.position + at] ?? 0);
    run.position += share.tokens;
    if (run.prefilling) prefillTokens += share.tokens;
    else decodeTokens += share.tokens;
  }
  return { prefillTokens, decodeTokens, sequences: participants.length };
}

/** Places in the share whose logits will be read: behind its last token, or behind each where guesses are tested. */
function wantedLogits(run: SequenceRun, tokens: number): Uint32Array {
  const each = run.prefilling ? run.promptLogprobs !== undefined : run.guessed.length > 0;
  if (each) return Uint32Array.from({ length: tokens }, (_, at) => at);
  return run.waiting === tokens ? Uint32Array.of(tokens - 1) : noLogits;
}

const noLogits = new Uint32Array(0);
