import type { DownloadProgress } from '../models/download.ts';
import type { HubName } from '../models/hub-name.ts';

export interface StartObserver {
  /** The port is open; the models come next. */
  listening?(url: string): void;
  progress(phase: 'load' | 'calibrate', fraction: number): void;
  /** Downloads a model; gives its path. Undefined: models must be on this machine. */
  obtain?(name: HubName, download: Download): Promise<string>;
}

interface Download {
  readonly signal: AbortSignal;
  readonly report: (progress: DownloadProgress) => void;
}
