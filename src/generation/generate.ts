import type { GenerationEvent, Timings } from '../contract/events.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { Clock, GenerationService, Timers } from '../contract/services.ts';
import type { EngineJob, EngineRun, RunResult } from '../engine/engine.ts';
import type { Lease } from '../scheduler/admission.ts';
import type { CancelRegistry } from './cancellation.ts';
import { createTextPipeline } from './create-pipeline.ts';
import { EarlyEnd } from './endings.ts';
import { EventQueue } from './event-queue.ts';
import { droppedWarning, fitContext } from './fit-context.ts';
import { type PreparedPrompt, preparePrompt } from './prepare-prompt.ts';
import type { ModelRuntime, RuntimeDirectory } from './runtime.ts';
import { resolveSampling } from './sampling.ts';
import type { TextPipeline } from './text-pipeline.ts';

export interface GenerationDependencies {
  readonly runtimes: RuntimeDirectory;
  readonly cancels: CancelRegistry;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly drawSeed: () => number;
  readonly newToolCallId: () => string;
  readonly settings: GenerationSettings;
}

export interface GenerationSettings {
  /** Wall-clock cap per request, counted from its first step. */
  readonly maxPredictMs: number;
  readonly autoHealToolCalls: boolean;
  readonly checkToolNames: boolean;
}

export function createGenerationService(dependencies: GenerationDependencies): GenerationService {
  const { runtimes } = dependencies;
  return {
    async *generate(request, signal) {
      const use = await runtimes.use(request.model, signal);
      try {
        yield* new Generation(dependencies, use.runtime, request).run(signal);
      } finally {
        use.release();
      }
    },
    async countTokens(request, signal) {
      const use = await runtimes.use(request.model, signal);
      try {
        return (await preparePrompt(use.runtime, request, signal)).tokens.length;
      } finally {
        use.release();
      }
    },
    async renderPrompt(request) {
      const use = await runtimes.use(request.model, new AbortController().signal);
      try {
        if (request.prompt.type === 'text') return request.prompt.text;
        if (request.prompt.type !== 'chat') return '';
        return use.runtime.renderer.render(request.prompt).pieces.join('');
      } finally {
        use.release();
      }
    },
  };
}

/** One choice, from its prompt to its finish event. */
class Generation {
  readonly #deps: GenerationDependencies;
  readonly #runtime: ModelRuntime;
  readonly #request: GenerationRequest;
  /** Messages that were left out to fit the context. */
  #dropped = 0;

  constructor(deps: GenerationDependencies, runtime: ModelRuntime, request: GenerationRequest) {
    this.#deps = deps;
    this.#runtime = runtime;
    this.#request = request;
  }

  async *run(signal: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined> {
    const controller = new AbortController();
    const forward = () => controller.abort(signal.reason);
    if (signal.aborted) forward();
    signal.addEventListener('abort', forward, { once: true });
    const registration = this.#deps.cancels.register(this.#request.keys, () =>
      controller.abort(new EarlyEnd('cancelled')),
    );
    try {
      yield* this.#admitted(controller);
    } finally {
      registration.release();
      signal.removeEventListener('abort', forward);
    }
  }

  async *#admitted(controller: AbortController): AsyncGenerator<GenerationEvent, void, undefined> {
    const { signal } = controller;
    const { scheduler } = this.#runtime;
    let prompt: PreparedPrompt | undefined;
    let lease: Lease;
    let maxTokens: number;
    try {
      signal.throwIfAborted();
      ({ prompt, maxTokens, dropped: this.#dropped } = await fitContext(this.#runtime, this.#request, signal));
      lease = await scheduler.admit(this.#admission(prompt, maxTokens), signal);
    } catch (error) {
      if (!(signal.reason instanceof EarlyEnd)) throw error;
      yield* endedInQueue(prompt?.tokens.length ?? 0);
      return;
    }
    try {
      yield* this.#leased(controller, prompt, lease, maxTokens);
    } finally {
      lease.release();
    }
  }

  #admission(prompt: PreparedPrompt, maxTokens: number) {
    const { keys, priority, cachePrompt, promptLogprobs } = this.#request;
    return {
      prompt: prompt.tokens,
      maxTokens,
      priority,
      cachePrompt: cachePrompt && !promptLogprobs,
      checkpoints: prompt.checkpoints,
      ...(keys.sessionId !== undefined && { sessionId: keys.sessionId }),
      ...(keys.userHint !== undefined && { userHint: keys.userHint }),
    };
  }

  async *#leased(
    controller: AbortController,
    prompt: PreparedPrompt,
    lease: Lease,
    maxTokens: number,
  ): AsyncGenerator<GenerationEvent, void, undefined> {
    const { engine, profile } = this.#runtime;
    const { clock, timers, settings, drawSeed } = this.#deps;
    let run: EngineRun | undefined;
    const queue = new EventQueue<GenerationEvent>(
      () => run?.pause(),
      () => run?.resume(),
    );
    const sampling = resolveSampling(this.#request.sampling, profile, drawSeed);
    const { pipeline, grammar } = await createTextPipeline(this.#deps, this.#runtime, this.#request, prompt.opening);
    const job: EngineJob = {
      slot: lease.slot,
      prompt: prompt.tokens,
      reuse: lease.reuse,
      sampling,
      maxTokens,
      ignoreEos: this.#request.ignoreEos,
      signal: controller.signal,
      ...(grammar && { grammar, grammarActive: true }),
      ...(this.#request.logprobs && { logprobs: this.#request.logprobs }),
      ...this.#promptLogprobs(prompt, queue),
      onToken(token) {
        const { events, directive } = pipeline.push(token);
        queue.add(events);
        return directive;
      },
    };
    run = engine.run(job);
    const clearLimit = timers.after(settings.maxPredictMs, () => controller.abort(new EarlyEnd('time-limit')));
    const startedAt = clock();
    const inputTokens = prompt.tokens.length;
    const cachedTokens = run.cachedTokens;
    const finish = (result: RunResult | EarlyEnd): GenerationEvent => ({
      ...finishEvent(pipeline, result, {
        inputTokens,
        cachedTokens,
        seed: sampling.seed,
        queueMs: lease.queueMs,
        elapsedMs: clock() - startedAt,
      }),
      ...(this.#dropped > 0 && { warnings: [droppedWarning(this.#dropped)] }),
    });
    const settled = run.done
      .catch((error: unknown) => earlyEndOr(error))
      .then((result) => {
        queue.add([...pipeline.end(), finish(result)]);
        queue.close();
      })
      .catch((error: unknown) => queue.fail(error));
    try {
      yield { type: 'start', inputTokens, cachedTokens };
      yield* queue.read();
    } finally {
      clearLimit();
      // Whoever leaves early stops the work; the slot goes back only after its decode has settled.
      controller.abort(new EarlyEnd('cancelled'));
      run.resume();
      await settled;
    }
  }

  #promptLogprobs(
    prompt: PreparedPrompt,
    queue: EventQueue<GenerationEvent>,
  ): Pick<EngineJob, 'promptLogprobs' | 'onPromptLogprobs'> {
    const { promptLogprobs } = this.#request;
    if (!promptLogprobs) return {};
    const { text } = this.#runtime.engine;
    return {
      promptLogprobs,
      onPromptLogprobs: (logprobs) => {
        const tokens = logprobs.map((logprob, at) => {
          const token = prompt.tokens[at] ?? 0;
          const bytes = text.bytes(token);
          return logprob ?? { token, text: new TextDecoder().decode(bytes), bytes: [...bytes] };
        });
        queue.add([{ type: 'prompt-logprobs', tokens }]);
      },
    };
  }
}

function earlyEndOr(error: unknown): EarlyEnd {
  if (error instanceof EarlyEnd) return error;
  throw error;
}

/** Cancelled before it had a slot: the answer ends properly, empty. */
function* endedInQueue(inputTokens: number): Generator<GenerationEvent> {
  yield { type: 'start', inputTokens, cachedTokens: 0 };
  yield {
    type: 'finish',
    reason: 'stop',
    cancelled: true,
    usage: { inputTokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
    seed: 0,
  };
}

function finishEvent(
  pipeline: TextPipeline,
  result: RunResult | EarlyEnd,
  facts: { inputTokens: number; cachedTokens: number; seed: number; queueMs: number; elapsedMs: number },
): GenerationEvent {
  const { inputTokens, cachedTokens, seed, queueMs, elapsedMs } = facts;
  const early = result instanceof EarlyEnd ? result.kind : undefined;
  const timings: Timings =
    result instanceof EarlyEnd
      ? { queueMs, promptMs: 0, predictedMs: elapsedMs }
      : { queueMs, promptMs: result.promptMs, predictedMs: result.predictedMs };
  const outOfBudget = early === 'time-limit' || (!(result instanceof EarlyEnd) && result.reason === 'length');
  const reason = outOfBudget ? 'length' : pipeline.calledTools && !early ? 'tool-calls' : 'stop';
  return {
    type: 'finish',
    reason,
    ...(early === 'cancelled' && { cancelled: true }),
    ...(pipeline.stopString !== undefined && { stopString: pipeline.stopString }),
    usage: {
      inputTokens,
      cachedTokens,
      outputTokens: pipeline.outputTokens,
      reasoningTokens: pipeline.reasoningTokens,
    },
    timings,
    seed,
  };
}
