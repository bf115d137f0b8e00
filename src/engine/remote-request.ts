import type { Directive, EngineJob, GeneratedToken } from './engine.ts';

/** The request of a job, where it lives in another process: it hears of its tokens later, and answers later still. */
export interface RemoteRequest {
  /** The slot now holds this much of the prompt and nothing else. */
  admitted(cachedTokens: number): void;
  /**
   * In place of onToken. The directives (without `continue`) are awaited before the run's next token is sampled, so
   * they may take as long as a decode without costing anything.
   */
  deliver(tokens: readonly GeneratedToken[]): Promise<readonly Directive[]>;
}

export interface LoopJob extends EngineJob {
  readonly remote?: RemoteRequest;
}
