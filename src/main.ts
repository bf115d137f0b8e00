import type { Config } from './config.ts';
import { ServeError } from './contract/errors.ts';
import type { ModelProfile } from './contract/model.ts';

export interface StartObserver {
  progress(phase: 'load' | 'calibrate', fraction: number): void;
}

export interface RunningServer {
  readonly url: string;
  readonly profile: ModelProfile;
  readonly device: string;
  drain(): Promise<void>;
  close(): Promise<void>;
}

export async function startServer(_config: Config, _observer: StartObserver): Promise<RunningServer> {
  throw new ServeError('not_implemented', 'not built yet');
}
