import type { Clock } from '../../contract/services.ts';
import type { Projector } from '../../media/projector.ts';
import type { ContextOptions } from '../remote/protocol.ts';
import { ImageDesk } from './image-desk.ts';
import { ImageSteps, type ImageStepsOptions } from './image-steps.ts';

export interface OpenImagesOptions
  extends Pick<ContextOptions, 'stepTargetMs' | 'projector'>,
    Pick<ImageStepsOptions, 'context' | 'slots' | 'pools' | 'threads' | 'pacer' | 'turns'> {
  readonly clock: Clock;
}

/** Of the step target, twice which no piece is to take: pieces are sized by what others took. */
const piecesTarget = 1.5;

/** What encodes images beside the loop, and brings their rows into its slots. */
export function openImages(projector: Projector, options: OpenImagesOptions) {
  const { stepTargetMs, clock, threads, context } = options;
  // It computes on the same threads as prompts: two pools would spin against each other.
  projector.compute.useThreads(threads.prefill);
  const { causal, rowWidth, mostRows } = projector.eye;
  const desk = new ImageDesk({
    projector,
    clock,
    cacheBytes: options.projector?.cacheBytes ?? 0,
    pieceMs: piecesTarget * stepTargetMs,
  });
  const { positions } = context.model;
  return { desk, steps: new ImageSteps({ ...options, desk, causal, rowWidth, mostRows, positions }) };
}
