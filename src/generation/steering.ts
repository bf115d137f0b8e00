import type { Steering } from './text-pipeline.ts';

const goOn = { type: 'continue' } as const;

/** Lets the model write what it likes. */
export const freeSteering: Steering = { afterToken: () => goOn };

/**
 * Ends the thinking after `budget` tokens by putting the family's own closing text into the model's mouth. The injected
 * tokens count as reasoning and completion tokens like any others.
 */
export function limitReasoning(budget: number, closing: readonly number[], inner: Steering): Steering {
  let spent = 0;
  let closed = false;
  return {
    afterToken(token, text, state) {
      const wish = inner.afterToken(token, text, state);
      if (closed || state !== 'reasoning') return wish;
      spent++;
      if (spent < budget) return wish;
      closed = true;
      return { type: 'force', tokens: closing };
    },
  };
}
