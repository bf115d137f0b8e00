import { ServeError } from '../contract/errors.ts';
import type { GenerationEvent } from '../contract/events.ts';
import type { ChatPrompt, GenerationRequest } from '../contract/request.ts';
import type { GenerationService } from '../contract/services.ts';
import type { Admission, Lease, QueuePlace } from '../scheduler/admission.ts';
import { Adapters } from './adapters.ts';
import type { RunEnd } from './cancellation.ts';
import { createTextPipeline, type PipelinePlan } from './create-pipeline.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { type FittedPrompt, fitContext } from './fit-context.ts';
import { readChatImages } from './images.ts';
import { type PreparedPrompt, preparePrompt } from './prepare-prompt.ts';
import { runOnSlot, type SlotRun } from './run-on-slot.ts';
import type { ModelRuntime, RuntimeUse } from './runtime.ts';
import { whileQueued } from './while-queued.ts';

/** The conductor: prompt -> slot -> tokens -> events. */
export function createGenerationService(dependencies: GenerationDependencies): GenerationService {
  const { runtimes } = dependencies;
  return {
    async *generate(request, signal, spent) {
      const { cancels } = dependencies;
      const controller = new AbortController();
      const forward = () => controller.abort(signal.reason);
      if (signal.aborted) forward();
      signal.addEventListener('abort', forward, { once: true });
      const registration = cancels.register(request.keys, (why) => controller.abort(endReason(why)));
      try {
        const answer = request.progress
          ? yield* whileQueued(
              (onPlace) => begin({ deps: dependencies, request, controller, onPlace }),
              () => controller.abort(new EarlyEnd('cancelled')),
            )
          : await begin({ deps: dependencies, request, controller });
        try {
          // One generator, not one for each layer: every event would go through all of them, see CONTRIBUTING.
          for (let event = await answer.next(); event; event = await answer.next()) {
            if (event.type === 'block-start') registration.spoke();
            yield event;
          }
        } finally {
          await answer.leave();
          if (answer.usage) spent?.(answer.usage());
        }
      } finally {
        registration.release();
        signal.removeEventListener('abort', forward);
      }
    },
    begun: async (signal) => dependencies.startGate?.pass(signal),
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
        return await shownPrompt(use.runtime, request.prompt, request);
      } finally {
        use.release();
      }
    },
  };
}

/** With what stands for images: `[image: 256 tokens]` between the family's own marks. */
async function shownPrompt(runtime: ModelRuntime, chat: ChatPrompt, request: GenerationRequest): Promise<string> {
  const signal = new AbortController().signal;
  const read = await readChatImages(runtime, chat, request, signal);
  const { pieces, images = [] } = await runtime.renderer.render(read.chat, request.outputShape);
  const shown = images.map(({ index, before }) => ({
    before,
    text: (read.images[index] ?? [])
      .map((part) => (part.type === 'text' ? part.text : `[image: ${part.ids.length} tokens]`))
      .join(''),
  }));
  const at = (place: number) => shown.filter(({ before }) => before === place).map(({ text }) => text);
  return [...pieces.flatMap((piece, place) => [...at(place), piece]), ...at(pieces.length)].join('');
}

interface Beginning {
  readonly deps: GenerationDependencies;
  readonly request: GenerationRequest;
  readonly controller: AbortController;
  /** Told its places in the queue. */
  readonly onPlace?: (place: QueuePlace) => void;
}

/** Findable by cancel calls from before it has a model, which may take a while, to its end. */
async function begin(beginning: Beginning): Promise<SlotRun> {
  const { deps, request, controller } = beginning;
  let started: Started;
  try {
    started = await start(beginning);
  } catch (error) {
    if (controller.signal.aborted) deps.observer?.cancelled('queued');
    const { reason } = controller.signal;
    if (!(reason instanceof EarlyEnd)) throw error;
    return endedInQueue(reason);
  }
  const { use, ...admitted } = started;
  const giveBack = () => {
    admitted.lease.release();
    use.release();
  };
  try {
    const run = runOnSlot({ ...admitted, deps, runtime: use.runtime, request, controller });
    return { ...run, leave: () => run.leave().finally(giveBack) };
  } catch (error) {
    giveBack();
    throw error;
  }
}

interface Started {
  readonly use: RuntimeUse;
  readonly fitted: FittedPrompt;
  readonly plan: PipelinePlan;
  readonly lease: Lease;
  readonly adapters: readonly number[] | undefined;
}

/** A model and a slot on it. */
async function start(beginning: Beginning): Promise<Started> {
  const { deps, request, controller, onPlace } = beginning;
  controller.signal.throwIfAborted();
  await deps.startGate?.pass(controller.signal, onPlace);
  const use = await deps.runtimes.use(request.model, controller.signal);
  try {
    return { use, ...(await admit(beginning, use.runtime)) };
  } catch (error) {
    use.release();
    throw error;
  }
}

/** Everything that can be refused is refused before the request takes a place in the queue. */
async function admit(
  { deps, request, controller: { signal }, onPlace }: Beginning,
  runtime: ModelRuntime,
): Promise<Omit<Started, 'use'>> {
  const adapters = adaptersOf(request, runtime);
  const fitted = await fitContext(runtime, request, signal);
  refuseToldImages(request, fitted.prompt);
  const plan = await createTextPipeline(deps, runtime, request, fitted.prompt.opening);
  const ask = admissionOf(request, fitted.prompt, { maxTokens: fitted.maxTokens, adapters });
  const lease = await runtime.scheduler.admit({ ...ask, ...(onPlace && { onPlace }) }, signal);
  return { fitted, plan, lease, adapters };
}

/** An image's rows are no tokens: none has a probability. */
function refuseToldImages({ promptLogprobs }: GenerationRequest, { images }: PreparedPrompt): void {
  if (!promptLogprobs || images.length === 0) return;
  throw new ServeError(
    'invalid_request',
    'Log probabilities of a prompt with images are not told. Ask for those of the answer alone.',
    { param: 'prompt_logprobs' },
  );
}

function adaptersOf({ adapters }: GenerationRequest, runtime: ModelRuntime): readonly number[] | undefined {
  if (runtime.adapters) return runtime.adapters.scales(adapters);
  // Refused in the same words.
  if (typeof adapters === 'string' || (typeof adapters === 'object' && adapters.length > 0)) {
    new Adapters([]).scales(adapters);
  }
  return undefined;
}

/** What was evaluated with one mix of adapters serves no other. */
function scopeWith(adapters: readonly number[] | undefined, scope: string): string {
  return adapters?.some((scale) => scale !== 0) ? `${scope} lora ${adapters.join(' ')}` : scope;
}

function admissionOf(
  { keys, priority, cachePrompt, cacheScope = '', promptLogprobs }: GenerationRequest,
  { tokens, checkpoints }: PreparedPrompt,
  { maxTokens, adapters }: { readonly maxTokens: number; readonly adapters: readonly number[] | undefined },
): Admission {
  return {
    prompt: tokens,
    maxTokens,
    priority,
    cachePrompt: cachePrompt && !promptLogprobs,
    scope: cachePrompt ? scopeWith(adapters, cacheScope) : undefined,
    checkpoints,
    ...(keys.owner !== undefined && { owner: keys.owner }),
    ...(keys.sessionId !== undefined && { sessionId: keys.sessionId }),
    ...(keys.userHint !== undefined && { userHint: keys.userHint }),
  };
}

function endReason(why: RunEnd): EarlyEnd | ServeError {
  if (why !== 'refused') return new EarlyEnd(why);
  return new ServeError(
    'draining',
    'The server stopped before it came to this request. Ask again, another one will answer.',
  );
}

/** Ended before it had a slot: the answer ends properly, empty. */
function endedInQueue({ kind }: EarlyEnd): SlotRun {
  const events: GenerationEvent[] = [
    { type: 'start', inputTokens: 0, cachedTokens: 0 },
    {
      type: 'finish',
      ...(kind === 'cancelled' ? { reason: 'stop', cancelled: true } : { reason: 'length' }),
      usage: { inputTokens: 0, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
      timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
      seed: 0,
    },
  ];
  return { next: async () => events.shift(), leave: async () => undefined };
}
