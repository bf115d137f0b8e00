import { ServeError } from '../../contract/errors.ts';

/** The logits are no numbers, of which nothing can be sampled or told. */
export class NoNumbersError extends ServeError {
  constructor() {
    super(
      'engine_failure',
      'The model computed values that are no numbers: its file is damaged, its format does not suit this device, or ' +
        'the scale of an adapter is far too large.',
    );
  }
}

/** The first logit stands for all. */
export function areNumbers(logits: Float32Array): boolean {
  return !Number.isNaN(logits[0]);
}

/** Throws NoNumbersError. */
export function checkNumbers(logits: Float32Array): void {
  if (!areNumbers(logits)) throw new NoNumbersError();
}
