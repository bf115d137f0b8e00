import type { Context } from '../../native/context.ts';
import type { SlotState } from '../engine.ts';
import { type MediaSpan, mediaIn, outsideMedia } from '../media-ids.ts';
import type { WireJob } from '../remote/protocol.ts';
import type { LoopRun } from './run.ts';

/** What a slot does with its native sequence. */
export type SequenceMemory = Pick<Context, 'cut' | 'clear' | 'lastPosition' | 'saveState' | 'restoreState'>;

export interface SlotTools {
  readonly context: SequenceMemory;
  /** The model's state can be cut only at checkpoints (sliding window, recurrent layers). */
  readonly needsCheckpoints: boolean;
}

/** Each holds a copy of the window's or the recurrent state: up to 400 MB for the largest models. */
const checkpointsPerSlot = 4;
const checkpointBytesPerSlot = 2 ** 29;

interface Checkpoint {
  readonly tokens: number;
  /** Of windows and recurrent layers; what the others hold is cut. */
  readonly state: Uint8Array;
}

/** One native sequence and what it holds. */
export class Slot implements Omit<SlotState, 'phase'> {
  readonly id: number;
  readonly tokens: number[] = [];
  adapters: readonly number[] = [];
  run: LoopRun | undefined;
  readonly #tools: SlotTools;
  /** Ascending. */
  readonly #checkpoints: Checkpoint[] = [];
  /** Those in it whose rows share positions, ascending. */
  readonly #media: MediaSpan[] = [];

  constructor(id: number, tools: SlotTools) {
    this.id = id;
    this.#tools = tools;
  }

  get cutPoints(): readonly number[] | undefined {
    return this.#tools.needsCheckpoints ? this.#checkpoints.map(({ tokens }) => tokens) : undefined;
  }

  /** Leaves the first `tokens` tokens, as `reusablePrefix` gave them. Throws where the memory refuses. */
  cut(tokens: number): void {
    if (tokens === this.tokens.length) return;
    if (tokens > 0 && this.#tools.needsCheckpoints) this.#restore(tokens);
    else if (!this.#tools.context.cut(this.id, this.positionOf(tokens)))
      throw new Error(`Slot ${this.id} refused a cut at ${tokens}.`);
    this.tokens.length = tokens;
    this.#dropCheckpointsAfter(tokens);
    this.#dropMediaAfter(tokens);
  }

  /** The position of a token, by its place among the tokens; a medium's rows may share positions. */
  positionOf(place: number): number {
    return positionAmong(this.#media, place);
  }

  /** The same where the tokens are about to be `tokens`. */
  static positionIn(tokens: ArrayLike<number>, place: number): number {
    return positionAmong(mediaIn(tokens), place);
  }

  /** The rows of a medium were evaluated, all or the next of them. */
  addRows(ids: readonly number[]): void {
    for (const id of ids) this.tokens.push(id);
    this.#findMedia();
  }

  /** Of a run that was given up in the middle of a medium, nothing of that medium stays. */
  leaveMedium(start: number): void {
    try {
      this.cut(start);
    } catch {
      this.clear();
    }
  }

  /** Where the evaluation of this prompt has to stop for a checkpoint, ascending. */
  stops({ prompt, checkpoints = [] }: WireJob): readonly number[] {
    if (!this.#tools.needsCheckpoints) return [];
    const inside = checkpoints.filter((at) => at > 0 && at < prompt.length);
    return inside.length > 0 ? inside : [outsideMedia(prompt, prompt.length - 1)];
  }

  takeCheckpoint(): void {
    const tokens = this.tokens.length;
    if (this.#checkpoints.some((checkpoint) => checkpoint.tokens === tokens)) return;
    this.#checkpoints.push({ tokens, state: this.#tools.context.saveState(this.id, true) });
    // The first one lies at the end of the system part, which the next conversation shares.
    while (this.#tooManyCheckpoints()) this.#checkpoints.splice(this.#checkpoints.length > 2 ? 1 : 0, 1);
  }

  #tooManyCheckpoints(): boolean {
    const bytes = this.#checkpoints.reduce((sum, { state }) => sum + state.length, 0);
    const most = bytes > checkpointBytesPerSlot ? 1 : checkpointsPerSlot;
    return this.#checkpoints.length > most;
  }

  /** Takes over what is now in the native sequence. */
  adopt(tokens: Iterable<number>): void {
    this.#dropCheckpointsAfter(-1);
    this.tokens.length = 0;
    for (const token of tokens) this.tokens.push(token);
    this.#findMedia();
  }

  clear(): void {
    this.#tools.context.clear(this.id);
    this.adopt([]);
  }

  /** A decode was broken off: what is still there. `before`: tokens that it held before. */
  recover(before: number): void {
    const held = this.#tools.context.lastPosition(this.id) + 1;
    const position = this.positionOf(before);
    if (held >= this.#leastHeld(before) && this.#tools.context.cut(this.id, position)) this.tokens.length = before;
    else this.clear();
  }

  /** After a medium whose rows share a position the memory knows that one alone. */
  #leastHeld(place: number): number {
    const medium = this.#media.find(({ start, rows }) => start + rows === place);
    return medium ? this.positionOf(medium.start) + 1 : this.positionOf(place);
  }

  #findMedia(): void {
    const shared = mediaIn(this.tokens).filter(({ rows, advance }) => rows !== advance);
    this.#media.splice(0, this.#media.length, ...shared);
  }

  #dropMediaAfter(tokens: number): void {
    while ((this.#media.at(-1)?.start ?? -1) >= tokens) this.#media.pop();
  }

  #restore(tokens: number): void {
    const checkpoint = this.#checkpoints.find((candidate) => candidate.tokens === tokens);
    const { context } = this.#tools;
    const restored =
      checkpoint &&
      context.restoreState(this.id, checkpoint.state, true) &&
      // The layers that see everything still hold the rest.
      context.cut(this.id, this.positionOf(tokens)) &&
      context.lastPosition(this.id) === this.#leastHeld(tokens) - 1;
    if (!restored) throw new Error(`Slot ${this.id} could not be restored to ${tokens} tokens.`);
  }

  #dropCheckpointsAfter(tokens: number): void {
    for (let at = this.#checkpoints.length - 1; at >= 0; at--) {
      if ((this.#checkpoints[at]?.tokens ?? 0) > tokens) this.#checkpoints.splice(at, 1);
    }
  }
}

function positionAmong(media: readonly MediaSpan[], place: number): number {
  let position = place;
  for (const { start, rows, advance } of media) if (start + rows <= place) position += advance - rows;
  return position;
}
