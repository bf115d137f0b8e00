import { z } from 'zod';
import type { GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { optional } from './validate.ts';

/** llama.cpp's wish to be told how far a streamed request is, see its server README, "POST /completion". */
export const progressField = { return_progress: optional(z.boolean()) } as const;

export function wantsProgress(body: {
  readonly stream?: boolean | undefined;
  readonly return_progress?: boolean | undefined;
}): boolean | undefined {
  return body.stream && body.return_progress ? true : undefined;
}

/**
 * What stands on a chunk that says nothing else: llama.cpp's `prompt_progress`, and before there is a slot our own
 * `queue`. Undefined for every other event. `processed` contains `cache`; milliseconds.
 */
export function progressOf(event: GenerationEvent): JsonObject | undefined {
  if (event.type === 'queued') return { queue: { position: event.position, eta_ms: event.etaMs ?? null } };
  if (event.type !== 'prompt-progress') return undefined;
  const { totalTokens, cachedTokens, processedTokens, elapsedMs } = event;
  return {
    prompt_progress: {
      total: totalTokens,
      cache: cachedTokens,
      processed: processedTokens,
      time_ms: Math.round(elapsedMs),
    },
  };
}
