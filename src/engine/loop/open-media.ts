import type { Clock } from '../../contract/services.ts';
import type { Projector } from '../../media/projector.ts';
import type { ContextOptions } from '../remote/protocol.ts';
import { MediaDesk } from './media-desk.ts';
import { MediaSteps, type MediaStepsOptions } from './media-steps.ts';

export interface OpenMediaOptions
  extends Pick<ContextOptions, 'stepTargetMs' | 'projector'>,
    Pick<MediaStepsOptions, 'context' | 'slots' | 'pools' | 'threads' | 'pacer' | 'turns'> {
  readonly clock: Clock;
}

/** Of the step target, twice which no piece is to take: pieces are sized by what others took. */
const piecesTarget = 1.5;

/** What encodes media beside the loop, and brings their rows into its slots. */
export function openMedia(projector: Projector, options: OpenMediaOptions) {
  const { stepTargetMs, clock, threads, context } = options;
  // It computes on the same threads as prompts: two pools would spin against each other.
  projector.compute.useThreads(threads.prefill);
  const { eye, ear } = projector.senses;
  const mostRows = Math.max(eye?.mostRows ?? 0, ear?.mostRows ?? 0);
  const desk = new MediaDesk({
    projector,
    clock,
    cacheBytes: options.projector?.cacheBytes ?? 0,
    pieceMs: piecesTarget * stepTargetMs,
  });
  const { positions } = context.model;
  return {
    desk,
    steps: new MediaSteps({
      ...options,
      desk,
      together: eye && !eye.causal ? eye.mostRows : 0,
      rowWidth: projector.rowWidth,
      mostRows,
      positions,
    }),
  };
}
