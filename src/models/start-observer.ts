import type { DownloadProgress } from './download.ts';
import type { HubName } from './hub-name.ts';

export interface StartObserver {
  /** The port is open; the models come next. */
  listening?(url: string): void;
  progress(phase: 'load' | 'calibrate', fraction: number): void;
  /** Downloads a model or a projector; gives its path. Undefined: models must be on this machine. */
  obtain?(name: HubName, download: Download): Promise<string>;
}

/** A model with what lets it see, a model alone, or the projector for the model of this path. */
export type Wanted = 'seeing model' | 'model' | { readonly projectorFor: string };

interface Download {
  readonly what: Wanted;
  readonly signal: AbortSignal;
  readonly report: (progress: DownloadProgress) => void;
}
