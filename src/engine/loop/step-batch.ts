import type { DecodeOutcome } from '../../native/context.ts';
import { planStep, type SequenceDemand, type StepShare } from '../plan-step.ts';
import { areAlike } from '../prefix.ts';
import type { StepPacer } from '../step-pacer.ts';
import type { AdapterTurns } from './adapter-turns.ts';
import type { LoopRun } from './run.ts';
import type { Slot } from './slot.ts';
import { longestGuess } from './speculation.ts';

/** What decodes: the native context, or one that a test has made up. */
export interface StepMachine {
  /** Tokens of one batch at most. */
  readonly batchSize: number;
  /** Places of one batch at most whose logits can be read. */
  readonly outputs: number;
  /** The batch is empty again. */
  clear(): void;
  /** Gives the token's place in the batch. */
  add(token: number, position: number, sequence: number, output: boolean): number;
  decode(): DecodeOutcome;
  /** Of an output of the last batch; overwritten by the next decode. */
  logits(place: number): Float32Array;
  free(): void;
}

export interface StepBatchParts {
  readonly machine: StepMachine;
  readonly slots: readonly Slot[];
  readonly pacer: StepPacer;
  readonly turns: AdapterTurns;
}

/** A run's part in the step that is being decoded. */
export interface Participant {
  readonly slot: Slot;
  readonly run: LoopRun;
  readonly share: StepShare;
  /** Tokens that the slot held before. */
  readonly before: number;
  readonly readsPrompt: boolean;
  /** Places of the batch whose logits are read. */
  readonly places: readonly number[];
}

/** The batch of a step: who gets how much of it, what is put into it, and its decode. */
export class StepBatch {
  readonly #parts: StepBatchParts;

  constructor(parts: StepBatchParts) {
    this.#parts = parts;
  }

  /** What each sequence gets of the next batch. Empty: nobody has anything to decode. */
  plan(): StepShare[] {
    const { slots, pacer, machine, turns } = this.#parts;
    const ready = slots.filter(({ run }) => run && run.nextPiece > 0);
    const adapters = turns.next(ready.map((slot) => slot.adapters));
    const told = this.#outputsPerToldPrompt(ready);
    const demands: SequenceDemand[] = [];
    let decoding = 0;
    for (const { id, run, adapters: own } of ready) {
      if (!run || !areAlike(own, adapters)) continue;
      const waiting = run.nextPiece;
      if (!run.prefilling) decoding++;
      const piece = tellsPrompt(run) ? Math.min(waiting, told) : waiting;
      demands.push({ slot: id, waiting: piece, phase: run.prefilling ? 'prefill' : 'decode', starved: run.starved++ });
    }
    const shares = planStep(demands, { batchSize: machine.batchSize, prefillBudget: pacer.budget(decoding) });
    for (const { slot } of shares) {
      const run = slots[slot]?.run;
      if (run) run.starved = 0;
    }
    return shares;
  }

  /** Each place of a prompt that is told is an output: such prompts share what the other runs cannot need. */
  #outputsPerToldPrompt(ready: readonly Slot[]): number {
    const { outputs, batchSize } = this.#parts.machine;
    if (outputs >= batchSize) return batchSize;
    const told = ready.filter(({ run }) => run && tellsPrompt(run)).length;
    return Math.floor((outputs - (ready.length - told) * (longestGuess + 1)) / told);
  }

  fill(shares: readonly StepShare[]): Participant[] {
    const { slots, machine } = this.#parts;
    machine.clear();
    const participants: Participant[] = [];
    for (const share of shares) {
      const slot = slots[share.slot];
      const run = slot?.run;
      if (!slot || !run) continue;
      if (share.tokens < run.waiting) run.dropGuessesAfter(share.tokens);
      const before = slot.tokens.length;
      const readsPrompt = run.prefilling;
      participants.push({ slot, run, share, before, readsPrompt, places: this.#add(slot, run, share.tokens) });
    }
    return participants;
  }

  /** Outputs are read after the last token of what waits, or after each where guesses are tested or prompts told. */
  #add(slot: Slot, run: LoopRun, tokens: number): number[] {
    const each = run.prefilling ? tellsPrompt(run) : run.guessed.length > 0;
    const whole = run.waiting === tokens;
    const places: number[] = [];
    const first = slot.positionOf(slot.tokens.length);
    for (let at = 0; at < tokens; at++) {
      const output = each || (whole && at === tokens - 1);
      const place = this.#parts.machine.add(run.input[run.position + at] ?? 0, first + at, slot.id, output);
      if (output) places.push(place);
    }
    return places;
  }

  /** False: it was broken off, and the slots are as they were before. */
  decode(participants: readonly Participant[]): boolean {
    const outcome = this.#parts.machine.decode();
    if (outcome === 'done') return true;
    if (outcome === 'full') throw new Error('The context had no room for a batch.');
    for (const { slot, run, before } of participants) {
      const tokens = slot.tokens.slice(0, before);
      slot.recover(before);
      run.rewind(tokens, slot.tokens.length);
    }
    return false;
  }
}

function tellsPrompt({ prefilling, promptLogprobs }: LoopRun): boolean {
  return prefilling && promptLogprobs !== undefined;
}

/** The batch was decoded: the slot holds its tokens. */
export function count({ slot, run, share }: Participant): void {
  for (let at = 0; at < share.tokens; at++) slot.tokens.push(run.input[run.position + at] ?? 0);
  run.position += share.tokens;
}
