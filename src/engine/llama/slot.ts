import type { EngineJob, SlotState } from '../engine.ts';
import { reusablePrefix } from '../reusable-prefix.ts';
import type { NativeBindings, NativeCheckpoint, NativeContext } from './native.ts';
import type { SequenceRun } from './sequence-run.ts';

export interface SlotTools {
  readonly context: NativeContext;
  readonly bindings: NativeBindings;
  /** The model's state can be cut only at checkpoints (sliding window, recurrent layers). */
  readonly needsCheckpoints: boolean;
}

/** Each holds a copy of the window's or the recurrent state: up to 400 MB for the largest models. */
const checkpointsPerSlot = 4;
const checkpointBytesPerSlot = 2 ** 29;

/** One native sequence and what it holds. All members but the getters may only be used between steps. */
export class Slot implements SlotState {
  readonly id: number;
  readonly tokens: number[] = [];
  run: SequenceRun | undefined;
  readonly #tools: SlotTools;
  /** Ascending. */
  readonly #checkpoints: { tokens: number; state: NativeCheckpoint }[] = [];

  constructor(id: number, tools: SlotTools) {
    this.id = id;
    this.#tools = tools;
  }

  get phase(): SlotState['phase'] {
    if (!this.run) return 'idle';
    return this.run.prefilling ? 'prefill' : 'decode';
  }

  get cutPoints(): readonly number[] | undefined {
    return this.#tools.needsCheckpoints ? this.#checkpoints.map(({ tokens }) => tokens) : undefined;
  }

  /** See reusablePrefix. */
  reusable(prompt: readonly number[], most: number): number {
    return reusablePrefix(this, prompt, most);
  }

  /** Leaves the first `tokens` tokens. `tokens` comes from `reusable`. */
  async cut(tokens: number): Promise<void> {
    if (tokens === this.tokens.length) return;
    if (tokens > 0 && this.#tools.needsCheckpoints) await this.#restore(tokens);
    else if (!this.#tools.context.removeTokenCellsFromSequence(this.id, tokens, -1)) {
      throw new Error(`The native context refused to cut slot ${this.id} at ${tokens}.`);
    }
    this.tokens.length = tokens;
    this.#dropCheckpointsBehind(tokens);
  }

  /** Where the evaluation of this prompt has to stop for a checkpoint, ascending. */
  stops({ prompt, checkpoints = [] }: EngineJob): readonly number[] {
    if (!this.#tools.needsCheckpoints) return [];
    const inside = checkpoints.filter((at) => at > 0 && at < prompt.length);
    return inside.length > 0 ? inside : [prompt.length - 1];
  }

  async takeCheckpoint(): Promise<void> {
    const tokens = this.tokens.length;
    if (this.#checkpoints.some((checkpoint) => checkpoint.tokens === tokens)) return;
    const state = new this.#tools.bindings.AddonContextSequenceCheckpoint();
    await state.init(this.#tools.context, this.id);
    this.#checkpoints.push({ tokens, state });
    while (this.#tooManyCheckpoints()) {
      // The first one lies at the end of the system part, which the next conversation shares.
      const [dropped] = this.#checkpoints.splice(this.#checkpoints.length > 2 ? 1 : 0, 1);
      dropped?.state.dispose();
    }
  }

  #tooManyCheckpoints(): boolean {
    const bytes = this.#checkpoints.reduce((sum, { state }) => sum + state.size, 0);
    const most = bytes > checkpointBytesPerSlot ? 1 : checkpointsPerSlot;
    return this.#checkpoints.length > most;
  }

  /** Takes over what is now in the native sequence. */
  adopt(tokens: readonly number[]): void {
    this.#dropCheckpointsBehind(-1);
    this.tokens.length = 0;
    for (const token of tokens) this.tokens.push(token);
  }

  clear(): void {
    this.#tools.context.removeTokenCellsFromSequence(this.id, -1, -1);
    this.adopt([]);
  }

  async #restore(tokens: number): Promise<void> {
    const checkpoint = this.#checkpoints.find((candidate) => candidate.tokens === tokens);
    const restored = checkpoint && (await this.#tools.context.restoreCheckpoint(checkpoint.state, tokens - 1, this.id));
    if (!restored) throw new Error(`Slot ${this.id} could not be restored to ${tokens} tokens.`);
  }

  #dropCheckpointsBehind(tokens: number): void {
    for (let at = this.#checkpoints.length - 1; at >= 0; at--) {
      if ((this.#checkpoints[at]?.tokens ?? 0) > tokens) this.#checkpoints.splice(at, 1)[0]?.state.dispose();
    }
  }
}
