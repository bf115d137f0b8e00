/**
 * Abort reasons that end a generation properly, with a finish event: nothing failed. Every other reason is thrown.
 */
export class EarlyEnd extends Error {
  override readonly name = 'EarlyEnd';
  readonly kind: 'cancelled' | 'time-limit';

  constructor(kind: 'cancelled' | 'time-limit') {
    super(kind);
    this.kind = kind;
  }
}
