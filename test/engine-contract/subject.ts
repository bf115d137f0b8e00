import type { Directive, Engine, EngineJob, GeneratedToken } from '../../src/engine/engine.ts';

/** An engine under the contract, with a prompt after which its model soon ends the generation by itself. */
export interface ContractSubject {
  readonly engine: Engine;
  readonly endingPrompt: readonly number[];
}

/** At least 3 slots of at least 512 tokens; prompt pieces small enough that 400 prompt tokens take several steps. */
export type ContractFactory = () => Promise<ContractSubject>;

export const greedy: EngineJob['sampling'] = {
  temperature: 0,
  topP: 1,
  topK: 0,
  minP: 0,
  seed: 1,
  repeatPenalty: 1,
  frequencyPenalty: 0,
  presencePenalty: 0,
};

/** Fails with the label instead of idling until the test runner gives up. */
export function within<Value>(promise: Promise<Value>, label: string, milliseconds = 20_000): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`still waiting after ${milliseconds} ms: ${label}`)), milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A prompt of exactly so many tokens; the seed makes its beginning differ. */
export async function promptOf(engine: Engine, length: number, seed = 'one'): Promise<number[]> {
  const words = Array.from({ length }, (_, index) => `${seed} ${index % 7} two `).join('');
  return (await engine.text.tokenize([words], { special: false })).slice(0, length);
}

export interface Recording {
  readonly tokens: number[];
  readonly given: GeneratedToken[];
}

/** A job with defaults, whose tokens are recorded. `onToken` may decide about each. */
export function recordedJob(
  job: Pick<EngineJob, 'slot' | 'prompt'> &
    Partial<Omit<EngineJob, 'onToken'>> & { onToken?: (token: GeneratedToken, count: number) => Directive | undefined },
): { job: EngineJob; recording: Recording } {
  const recording: Recording = { tokens: [], given: [] };
  return {
    recording,
    job: {
      reuse: 0,
      sampling: greedy,
      maxTokens: 8,
      ignoreEos: true,
      signal: new AbortController().signal,
      ...job,
      onToken: (token) => {
        recording.tokens.push(token.token);
        recording.given.push(token);
        return job.onToken?.(token, recording.tokens.length) ?? { type: 'continue' };
      },
    },
  };
}

/** Runs to the end. One that takes too long is given up: its slot is free for the next case, which is about something else. */
export async function complete(
  engine: Engine,
  options: Parameters<typeof recordedJob>[0],
): Promise<Recording & { cachedTokens: number; reason: string; outputTokens: number }> {
  const givenUp = new AbortController();
  const { job, recording } = recordedJob(options);
  const run = engine.run({ ...job, signal: AbortSignal.any([job.signal, givenUp.signal]) });
  try {
    const { reason, outputTokens } = await within(run.done, `run on slot ${job.slot}`);
    return { ...recording, cachedTokens: run.cachedTokens, reason, outputTokens };
  } finally {
    givenUp.abort();
    await run.done.catch(() => undefined);
  }
}
