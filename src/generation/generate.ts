import type { GenerationEvent } from '../contract/events.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { GenerationService } from '../contract/services.ts';
import type { Admission, Lease } from '../scheduler/admission.ts';
import { createTextPipeline, type PipelinePlan } from './create-pipeline.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { type FittedPrompt, fitContext } from './fit-context.ts';
import { type PreparedPrompt, preparePrompt } from './prepare-prompt.ts';
import { runOnSlot } from './run-on-slot.ts';
import type { ModelRuntime } from './runtime.ts';

/** The conductor: prompt -> slot -> tokens -> events. */
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

interface Admitted {
  readonly fitted: FittedPrompt;
  readonly plan: PipelinePlan;
  readonly lease: Lease;
}

/** One choice, from its prompt to its finish event. */
class Generation {
  readonly #deps: GenerationDependencies;
  readonly #runtime: ModelRuntime;
  readonly #request: GenerationRequest;

  constructor(deps: GenerationDependencies, runtime: ModelRuntime, request: GenerationRequest) {
    this.#deps = deps;
    this.#runtime = runtime;
    this.#request = request;
  }

  /** Findable by cancel calls from here to its end. */
  async *run(signal: AbortSignal): AsyncGenerator<GenerationEvent, void, undefined> {
    const controller = new AbortController();
    const forward = () => controller.abort(signal.reason);
    if (signal.aborted) forward();
    signal.addEventListener('abort', forward, { once: true });
    const registration = this.#deps.cancels.register(this.#request.keys, () =>
      controller.abort(new EarlyEnd('cancelled')),
    );
    try {
      yield* this.#admittedRun(controller);
    } finally {
      registration.release();
      signal.removeEventListener('abort', forward);
    }
  }

  async *#admittedRun(controller: AbortController): AsyncGenerator<GenerationEvent, void, undefined> {
    let admitted: Admitted;
    try {
      admitted = await this.#admit(controller.signal);
    } catch (error) {
      if (!(controller.signal.reason instanceof EarlyEnd)) throw error;
      yield* endedInQueue();
      return;
    }
    try {
      yield* runOnSlot({ ...admitted, deps: this.#deps, runtime: this.#runtime, request: this.#request, controller });
    } finally {
      admitted.lease.release();
    }
  }

  /** Everything that can be refused is refused before the request takes a place in the queue. */
  async #admit(signal: AbortSignal): Promise<Admitted> {
    signal.throwIfAborted();
    const fitted = await fitContext(this.#runtime, this.#request, signal);
    const plan = await createTextPipeline(this.#deps, this.#runtime, this.#request, fitted.prompt.opening);
    const lease = await this.#runtime.scheduler.admit(this.#admission(fitted.prompt, fitted.maxTokens), signal);
    return { fitted, plan, lease };
  }

  #admission({ tokens, checkpoints }: PreparedPrompt, maxTokens: number): Admission {
    const { keys, priority, cachePrompt, promptLogprobs } = this.#request;
    return {
      prompt: tokens,
      maxTokens,
      priority,
      cachePrompt: cachePrompt && !promptLogprobs,
      checkpoints,
      ...(keys.sessionId !== undefined && { sessionId: keys.sessionId }),
      ...(keys.userHint !== undefined && { userHint: keys.userHint }),
    };
  }
}

/** Cancelled before it had a slot: the answer ends properly, empty. */
function* endedInQueue(): Generator<GenerationEvent> {
  yield { type: 'start', inputTokens: 0, cachedTokens: 0 };
  yield {
    type: 'finish',
    reason: 'stop',
    cancelled: true,
    usage: { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
    timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
    seed: 0,
  };
}
