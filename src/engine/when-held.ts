import { commonPrefix } from './common-prefix.ts';

interface HoldingSlot {
  readonly tokens: readonly number[];
  readonly run: { readonly job: { readonly prompt: readonly number[] }; readonly done: Promise<unknown> } | undefined;
}

/** Engine.whenHeld over a live slot. `watch`: calls back whenever slots may have changed, until unsubscribed. */
export function whenHeld<Slot extends HoldingSlot>(
  watch: (callback: () => void) => () => void,
  slot: Slot | undefined,
  tokens: number,
  signal: AbortSignal,
): Promise<boolean> {
  let run: Slot['run'];
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!run && slot?.run) {
        run = slot.run;
        run.done.then(check, check);
      }
      const held = run !== undefined && slot !== undefined && commonPrefix(slot.tokens, run.job.prompt) >= tokens;
      if (signal.aborted) settle(() => reject(signal.reason));
      else if (held) settle(() => resolve(true));
      else if (!slot || (run && slot.run !== run)) settle(() => resolve(false));
    };
    const unwatch = watch(check);
    const settle = (outcome: () => void) => {
      unwatch();
      signal.removeEventListener('abort', check);
      outcome();
    };
    signal.addEventListener('abort', check, { once: true });
    check();
  });
}
