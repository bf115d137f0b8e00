/** A loaded model as it is at this moment; read at every scrape, so it must be cheap and do no I/O. */
export interface LiveModel {
  readonly name: string;
  readonly slots: number;
  readonly busySlots: number;
  readonly waiting: number;
  /** Tokens that the slots hold, and could hold. */
  readonly heldTokens: number;
  readonly contextTokens: number;
  /** Tokens per second, running averages. */
  readonly prefillRate: number | undefined;
  readonly decodeRate: number | undefined;
}
