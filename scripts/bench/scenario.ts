import type { ModelName } from './bench-model.ts';
import type { RunningServer } from './server.ts';

export interface Measure {
  readonly title: string;
  readonly unit: 'tokens/s' | 'ms' | 'tokens' | 'MiB';
  readonly better: 'higher' | 'lower';
  /** What serve-model's figure divided by llama-server's should come to at the most, or at the least. */
  readonly goal?: { readonly [Model in ModelName]?: number };
}

interface ScenarioInput {
  readonly server: RunningServer;
  readonly model: ModelName;
  readonly modelPath: string;
  /** Differs from round to round, so that no cache helps where a scenario does not want it. */
  readonly seed: number;
}

/** One situation: how to bring it about on a server, and what to read off. */
export interface Scenario {
  /** For --only. */
  readonly name: string;
  readonly measures: readonly Measure[];
  /** One figure per measure, undefined where it cannot be had. */
  run(input: ScenarioInput): Promise<readonly (number | undefined)[]>;
}
