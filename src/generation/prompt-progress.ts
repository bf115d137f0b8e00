import type { PromptProgressEvent } from '../contract/events.ts';
import type { Clock } from '../contract/services.ts';
import type { Engine } from '../engine/engine.ts';

export interface ReadPrompt {
  readonly engine: Pick<Engine, 'whenHeld' | 'slots'>;
  readonly slot: number;
  readonly totalTokens: number;
  readonly cachedTokens: number;
  readonly clock: Clock;
}

/** How far a prompt is read: at its beginning, after every step, and once at its end, before anything of the answer. */
export interface PromptProgress {
  /** The answer begins: the last event, unless it was told already. */
  answered(): readonly PromptProgressEvent[];
  /** The run is over, however. */
  close(): void;
}

/** Calls `tell` at once, and then as the slot comes to hold more of the prompt. Call it after the run has begun. */
export function tellPromptProgress(
  { engine, slot, totalTokens, cachedTokens, clock }: ReadPrompt,
  tell: (event: PromptProgressEvent) => void,
): PromptProgress {
  const startedAt = clock();
  const over = new AbortController();
  let told = -1;
  const at = (processedTokens: number): PromptProgressEvent => {
    told = processedTokens;
    return { type: 'prompt-progress', totalTokens, cachedTokens, processedTokens, elapsedMs: clock() - startedAt };
  };
  const follow = async () => {
    while (told < totalTokens && (await engine.whenHeld(slot, told + 1, over.signal))) {
      if (over.signal.aborted) return;
      tell(at(Math.min(totalTokens, engine.slots()[slot]?.tokens.length ?? totalTokens)));
    }
  };
  tell(at(cachedTokens));
  follow().catch(() => undefined); // the run is over, and whoever reads it is told why by itself
  return {
    answered() {
      if (over.signal.aborted) return [];
      over.abort();
      return told < totalTokens ? [at(totalTokens)] : [];
    },
    close: () => over.abort(),
  };
}
