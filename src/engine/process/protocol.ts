import type { LoadOptions } from '../load-options.ts';
import type { ModelDescription } from '../remote/model-description.ts';
import type { FromLoop, LoadedFacts, LoadedWeights, ToLoop } from '../remote/protocol.ts';
import type { TokenTable } from './token-table.ts';

/** To the engine's process: what its thread is told, and what only the process can do. */
export type ToChild =
  | { readonly type: 'load'; readonly options: ChildLoadOptions }
  /** Nobody waits for the decode under way. */
  | { readonly type: 'interrupt' }
  | Exclude<ToLoop, { type: 'library' | 'weights' | 'context' | 'vectors' }>;

/** What the thread says, and how the load ended. */
export type FromChild = FromLoop | { readonly type: 'opened'; readonly model: OpenedModel };

/** All of the options that are plain data. */
export interface ChildLoadOptions
  extends Omit<
    LoadOptions,
    'clock' | 'signal' | 'onProgress' | 'onStep' | 'onFailure' | 'onCalibrate' | 'tuningCache'
  > {
  /** Where calibrations are remembered. */
  readonly tuningFile: string | undefined;
}

export interface OpenedModel {
  readonly processId: number;
  readonly weights: Omit<LoadedWeights, 'shared'>;
  readonly facts: LoadedFacts;
  readonly description: ModelDescription;
  readonly tokens: TokenTable;
  readonly fingerprint: string;
}
