/** One request as the scheduler sees it: a prompt that wants a slot. */
export interface Admission {
  /** Tokens, never empty. */
  readonly prompt: readonly number[];
  /** Generated tokens at most, already resolved: never -1. */
  readonly maxTokens: number;
  /** 1 (low) to 5 (high). */
  readonly priority: number;
  /** Whose it is; absent on a server without keys. Its session is another one than the same word of another owner. */
  readonly owner?: string;
  /** A conversation: stays on its slot. */
  readonly sessionId?: string;
  /** A person: breaks ties between slots that are equally good otherwise. */
  readonly userHint?: string;
  /** False: nothing is reused for it, and nothing of it is saved when its slot changes hands. */
  readonly cachePrompt: boolean;
  /** Requests of the same scope share what was evaluated; undefined: nothing of this one serves others. */
  readonly scope: string | undefined;
  /**
   * Prompt positions, ascending, where reuse is likely: the end of system + tools first, then ends of turns. What lies
   * after the last one (the opening of the answer, its reasoning) is not missed when the conversation goes on.
   */
  readonly checkpoints?: readonly number[];
  /**
   * A later round of an answer that came at this time of the scheduler's clock: it goes before all that came later, and is
   * refused neither because many wait, nor because the server drains.
   */
  readonly since?: number;
  /** Told its place when it has to wait, and whenever that changes. Called synchronously; must not throw. */
  readonly onPlace?: (place: QueuePlace) => void;
}

/** Where a request stands in the queue. */
export interface QueuePlace {
  /** 1: the next one. */
  readonly position: number;
  /** Until it has a slot, estimated; undefined before the engine's rates were measured. */
  readonly etaMs: number | undefined;
}

/** The right to run on a slot. */
export interface Lease {
  readonly slot: number;
  /** Prompt tokens that the slot already holds: at most all but one. */
  readonly reuse: number;
  /** From `admit` until now, the wait for a neighbour's prefix included. */
  readonly queueMs: number;
  /** Right after the engine's `run`: what the slot holds is the request's own from now on. */
  begun(): void;
  /**
   * After the run's `done` settled. The slot keeps its tokens. Further calls do nothing. `comesBack`: its conversation
   * goes on in a while, so others take this slot last.
   */
  release(how?: { readonly comesBack: boolean }): void;
}

export type PrefixSource = 'slot' | 'copy' | 'snapshot' | 'none';

/** What the scheduler tells whoever counts. Called synchronously; must not throw. */
export interface SchedulerObserver {
  admitted(event: {
    readonly queueMs: number;
    readonly promptTokens: number;
    readonly reusedTokens: number;
    readonly source: PrefixSource;
  }): void;
  refused(cause: 'full' | 'timeout' | 'draining'): void;
  /** A kept state that made room for others. */
  snapshotDropped(event: { readonly tokens: number }): void;
  /** Moving state failed: the request goes on and evaluates its prompt itself. */
  transferFailed(operation: 'save' | 'load' | 'copy', error: unknown): void;
}
