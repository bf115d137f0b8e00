import type { FinishEvent, GenerationEvent, StartEvent, Timings, Usage } from '../contract/events.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { EngineJob, EngineRun, RunResult } from '../engine/engine.ts';
import type { Lease } from '../scheduler/admission.ts';
import { createAnswerCheck } from './answer-check.ts';
import type { AnswerReading } from './create-pipeline.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { EventQueue } from './event-queue.ts';
import { droppedWarning, type FittedPrompt } from './fit-context.ts';
import { type PromptProgress, tellPromptProgress } from './prompt-progress.ts';
import type { ModelRuntime } from './runtime.ts';
import { resolveSampling } from './sampling.ts';
import { type TokenWatch, watchTokens } from './watch-tokens.ts';

export interface RunInput {
  readonly deps: GenerationDependencies;
  readonly runtime: ModelRuntime;
  readonly request: GenerationRequest;
  readonly prompt: FittedPrompt;
  readonly reading: AnswerReading;
  readonly lease: Lease;
  /** How much of each adapter of the model is added. */
  readonly adapters: readonly number[] | undefined;
  readonly controller: AbortController;
  /** Wall-clock, in milliseconds. */
  readonly limitMs: number;
}

/** A run on a leased slot, read at its consumer's pace. */
export interface Run {
  /** The next event; undefined after the last; rejects where the run failed. */
  next(): Promise<GenerationEvent | undefined>;
  /**
   * Ends what still runs. Settles when the run's last decode has: the slot may go back then, `comesBack` where the
   * conversation goes on as soon as its tools have run.
   */
  leave(how?: { readonly comesBack: boolean }): Promise<void>;
  /** The tokens of its prompt and of its answer up to now; undefined where nobody goes on from there. */
  tokens?(): readonly number[] | undefined;
  /** What it has read and written up to now; absent where it never had a slot. */
  usage?(): Usage;
}

/** Tokens come synchronously from the step loop into a queue, which waits for its reader. */
export function runOnSlot(input: RunInput): Run {
  const { deps, runtime, prompt, reading, lease, controller } = input;
  const { clock, timers, observer } = deps;
  let run: EngineRun | undefined;
  const queue = new EventQueue<GenerationEvent>(
    () => run?.pause(),
    () => run?.resume(),
  );
  let progress: PromptProgress | undefined;
  const watch = watchTokens(input);
  // Rounds of an answer read on from each other.
  const written: number[] | undefined = input.request.serverTools && [];
  const job = engineJob(input, { watch, written }, (events) => {
    if (progress && events.length > 0) queue.add(progress.answered());
    check.see(events);
    queue.add(events);
  });
  run = runtime.engine.run(job);
  lease.begun();
  const startedAt = clock();
  const inputTokens = prompt.tokens.length;
  const { id: model } = runtime.profile;
  const start: StartEvent = { type: 'start', model, inputTokens, cachedTokens: run.cachedTokens };
  queue.add([start]);
  if (input.request.progress) {
    const { engine } = runtime;
    const read = { engine, slot: job.slot, totalTokens: inputTokens, cachedTokens: run.cachedTokens, clock };
    progress = tellPromptProgress(read, (event) => queue.add([event]));
  }
  const check = createAnswerCheck(reading.constraint, start);
  const clearLimit = timers.after(input.limitMs, () => controller.abort(new EarlyEnd('time-limit')));
  const settled = run.done
    .catch((error: unknown) => endedEarly(error, input))
    .then((result) => {
      if (progress && !(result instanceof EarlyEnd)) queue.add(progress.answered());
      const rest = reading.pipeline.end(isCut(result) ? 'cut' : 'complete');
      check.see(rest);
      const finish = finishEvent(input, result, { start, seed: job.sampling.seed, elapsedMs: clock() - startedAt });
      const misfits = [...check.warnings(finish), ...(reading.watch?.warnings(finish) ?? [])];
      for (const sentence of misfits) observer?.misfit(sentence);
      if (reading.pipeline.repairs > 0) observer?.repaired(reading.pipeline.repairs);
      const { dropped } = prompt;
      const warnings = [...misfits, ...prompt.warnings, ...(dropped > 0 ? [droppedWarning(dropped)] : [])];
      queue.add([...rest, { ...finish, ...(warnings.length > 0 && { warnings }) }]);
      queue.close();
      watch.ended();
    })
    .catch((error: unknown) => queue.fail(error))
    .finally(() => progress?.close());
  return {
    next: () => queue.next(),
    tokens: () => written && [...prompt.tokens, ...written],
    usage: () => usageOf(reading, start),
    async leave() {
      clearLimit();
      controller.abort(new EarlyEnd('cancelled'));
      run.resume();
      await settled;
    },
  };
}

interface TokenReaders {
  readonly watch: TokenWatch;
  readonly written: number[] | undefined;
}

function engineJob(
  input: RunInput,
  { watch, written }: TokenReaders,
  give: (events: readonly GenerationEvent[]) => void,
): EngineJob {
  const { deps, runtime, request, prompt, reading, lease, adapters, controller } = input;
  const { pipeline, constraint } = reading;
  return {
    slot: lease.slot,
    prompt: prompt.tokens,
    reuse: lease.reuse,
    checkpoints: prompt.checkpoints,
    ...(prompt.media.length > 0 && { media: prompt.media }),
    sampling: resolveSampling(request.sampling, runtime.profile, deps.drawSeed),
    maxTokens: prompt.maxTokens,
    ...(adapters && { adapters }),
    ignoreEos: request.ignoreEos,
    signal: controller.signal,
    steered: reading.steered,
    ...(constraint.grammar !== undefined && {
      ...{ grammar: constraint.grammar, grammarActive: true, grammarRefuses: reading.hiddenTokens },
    }),
    ...(request.logprobs && { logprobs: request.logprobs }),
    ...promptLogprobs(input, give),
    onToken(token) {
      watch.token(token.token);
      written?.push(token.token);
      const { events, directive } = pipeline.push(token);
      give(events);
      return directive;
    },
  };
}

function promptLogprobs(
  { request, runtime, prompt }: RunInput,
  give: (events: readonly GenerationEvent[]) => void,
): Pick<EngineJob, 'promptLogprobs' | 'onPromptLogprobs'> {
  if (!request.promptLogprobs) return {};
  const { text } = runtime.engine;
  return {
    promptLogprobs: request.promptLogprobs,
    onPromptLogprobs: (logprobs) => {
      const tokens = logprobs.map((logprob, at) => {
        const token = prompt.tokens[at] ?? 0;
        const bytes = text.bytes(token);
        return logprob ?? { token, text: new TextDecoder().decode(bytes), bytes: [...bytes] };
      });
      give([{ type: 'prompt-logprobs', tokens }]);
    },
  };
}

/** A cancel call, the wall-clock and a server that stops end a run properly; everything else is thrown. */
function endedEarly(error: unknown, { deps, reading, controller }: RunInput): EarlyEnd {
  const { observer } = deps;
  if (error instanceof EarlyEnd && error.kind === 'time-limit') observer?.timeLimit();
  else if (controller.signal.aborted) observer?.cancelled(reading.pipeline.outputTokens > 0 ? 'decode' : 'prefill');
  if (!(error instanceof EarlyEnd)) throw error;
  return error;
}

/** The answer might have gone on: a token limit, a time limit or a cancel ended it. */
function isCut(result: RunResult | EarlyEnd): boolean {
  return result instanceof EarlyEnd || result.reason === 'length';
}

interface RunFacts {
  readonly start: StartEvent;
  readonly seed: number;
  readonly elapsedMs: number;
}

function usageOf({ pipeline }: AnswerReading, { inputTokens, cachedTokens }: StartEvent): Usage {
  const { outputTokens, reasoningTokens } = pipeline;
  return { inputTokens, cachedTokens, outputTokens, reasoningTokens };
}

function finishEvent({ reading, lease }: RunInput, result: RunResult | EarlyEnd, facts: RunFacts): FinishEvent {
  const { pipeline } = reading;
  const { queueMs } = lease;
  const timings: Timings =
    result instanceof EarlyEnd
      ? { queueMs, promptMs: 0, predictedMs: facts.elapsedMs }
      : { queueMs, promptMs: result.promptMs, predictedMs: result.predictedMs };
  const { stopString, calledTools } = pipeline;
  const reason = calledTools ? 'tool-calls' : 'stop';
  return {
    type: 'finish',
    ...(result instanceof EarlyEnd ? result.ending : { reason: result.reason === 'length' ? 'length' : reason }),
    ...(stopString !== undefined && { stopString }),
    usage: usageOf(reading, facts.start),
    timings,
    seed: facts.seed,
  };
}
