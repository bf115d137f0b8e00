import type { Steering } from './text-pipeline.ts';
import type { ThoughtControl } from './thought-control.ts';

const goOn = { type: 'continue' } as const;

/** Lets the model write what it likes. */
export const freeSteering: Steering = { afterToken: () => goOn };

export interface ReasoningLimit {
  /** Tokens of thinking. */
  readonly budget: number;
  /** The family's own closing text. */
  readonly closing: readonly number[];
  /** GBNF that holds after the closing text; undefined: the model is free. */
  readonly afterwards: string | undefined;
  /** May end it earlier. */
  readonly thought?: ThoughtControl | undefined;
}

/**
 * Ends the thinking at its budget, or when somebody wants the answer now, by putting the closing text into the model's mouth. The injected tokens count as
 * reasoning and completion tokens like any others. A grammar that was running has not seen them, so the one that holds
 * from there on is switched on after the last of them.
 */
export function limitReasoning({ budget, closing, afterwards, thought }: ReasoningLimit): Steering {
  let spent = 0;
  let injected = 0;
  let closed = false;
  return {
    afterToken(token, _text, state) {
      if (closed) {
        if (token.forced) injected++;
        const behind = token.forced && injected === closing.length && afterwards !== undefined;
        return behind ? { type: 'grammar', grammar: afterwards } : goOn;
      }
      const endsHere = thought?.endsAt(state === 'reasoning') ?? false;
      if (state !== 'reasoning') return goOn;
      spent++;
      if (spent < budget && !endsHere) return goOn;
      closed = true;
      return { type: 'force', tokens: closing };
    },
  };
}
