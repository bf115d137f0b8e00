import { cancelledEnding, type EarlyEnding } from '../contract/events.ts';

/** By a cancel call, by --max-predict-seconds, or because the server stops. */
export type EarlyEndKind = 'cancelled' | 'time-limit' | 'shutdown';

/**
 * Abort reasons that end a generation properly, with a finish event: nothing failed. Every other reason is thrown.
 */
export class EarlyEnd extends Error {
  override readonly name = 'EarlyEnd';
  readonly kind: EarlyEndKind;

  constructor(kind: EarlyEndKind) {
    super(kind);
    this.kind = kind;
  }

  get ending(): EarlyEnding {
    return this.kind === 'cancelled' ? cancelledEnding : { reason: 'length' };
  }
}
