import { ServeError } from '../contract/errors.ts';
import { emptyFinish, type GenerationEvent, type Usage } from '../contract/events.ts';
import type { ChatPrompt, GenerationRequest } from '../contract/request.ts';
import type { GenerationService, PromptCount } from '../contract/services.ts';
import { following, neverAborted } from '../contract/signals.ts';
import type { Admission, Lease, QueuePlace } from '../scheduler/admission.ts';
import { Adapters } from './adapters.ts';
import type { RunEnd } from './cancellation.ts';
import { type AnswerReading, createTextPipeline } from './create-pipeline.ts';
import type { GenerationDependencies } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { type FittedPrompt, fitContext } from './fit-context.ts';
import { readChatMedia } from './media.ts';
import { asOffered, wantsTools } from './offer-tools.ts';
import { type PromptTokens, promptTokens } from './prompt-tokens.ts';
import { type Run, runOnSlot } from './run-on-slot.ts';
import { type ModelRuntime, type ModelUse, using } from './runtime.ts';
import { ThoughtControl } from './thought-control.ts';
import { answerWithTools, type ToolLoop } from './tool-loop.ts';
import { whileQueued } from './while-queued.ts';

/** The conductor: prompt -> slot -> tokens -> events. */
export function createGenerationService(dependencies: GenerationDependencies): GenerationService {
  const { useModel } = dependencies;
  return {
    async *generate(request, signal, spent) {
      const { cancels } = dependencies;
      const { controller, unfollow } = following(signal);
      const thought = new ThoughtControl(request.prompt.type === 'chat' && request.prompt.reasoning.endable === true);
      const registration = cancels.register(request.keys, (why) => controller.abort(endReason(why)), thought);
      try {
        const { tools } = dependencies;
        if (tools && wantsTools(request)) {
          for await (const event of withTools({
            deps: dependencies,
            bench: tools,
            request,
            controller,
            spent,
            thought,
          })) {
            if (event.type === 'block-start') registration.spoke();
            yield event;
          }
          return;
        }
        const limitMs = dependencies.settings.maxPredictMs;
        const answer = yield* beginTelling({ deps: dependencies, request, controller, limitMs, thought });
        try {
          // One generator, not one for each layer: every event would go through all of them, see this room's README.
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
        unfollow();
      }
    },
    async ready(model, signal) {
      await dependencies.startGate?.pass(signal);
      await using(useModel(model, signal), () => undefined);
    },
    async countTokens(asked, signal) {
      const request = await asOffered(dependencies.tools?.host, asked, signal);
      return using(useModel(request.model, signal), ({ runtime }) => countPrompt(runtime, request, signal));
    },
    async renderPrompt(asked) {
      const signal = neverAborted();
      const request = await asOffered(dependencies.tools?.host, asked, signal);
      return using(useModel(request.model, signal), async ({ runtime }) => {
        if (request.prompt.type === 'text') return request.prompt.text;
        return request.prompt.type === 'chat' ? shownPrompt(runtime, request.prompt, request, signal) : '';
      });
    },
  };
}

/** With what stands for images and sounds: `[image: 256 tokens]` between the family's own marks. */
async function shownPrompt(
  runtime: ModelRuntime,
  chat: ChatPrompt,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<string> {
  const read = await readChatMedia(runtime, chat, request, signal);
  const { pieces, media = [] } = await runtime.renderer.render(read.chat, request.outputShape);
  const shown = media.map(({ index, before }) => ({
    before,
    text: (read.media[index] ?? [])
      .map((part) =>
        part.type === 'text' ? part.text : `[${'bands' in part.tile ? 'audio' : 'image'}: ${part.ids.length} tokens]`,
      )
      .join(''),
  }));
  const at = (place: number) => shown.filter(({ before }) => before === place).map(({ text }) => text);
  return [...pieces.flatMap((piece, place) => [...at(place), piece]), ...at(pieces.length)].join('');
}

interface ToolAnswer extends Pick<ToolLoop, 'deps' | 'bench' | 'request' | 'controller'> {
  readonly spent: ((usage: Usage) => void) | undefined;
  readonly thought: ThoughtControl;
}

async function* withTools({ spent, thought, ...answer }: ToolAnswer): AsyncGenerator<GenerationEvent> {
  const { deps, request, controller } = answer;
  // From the first round on, so that the model is still there when the tools have run.
  let held: ModelUse<ModelRuntime> | undefined;
  try {
    yield* answerWithTools({
      ...answer,
      async *begin(start) {
        const run = yield* beginTelling({ deps, ...start, thought });
        try {
          held ??= await deps.useModel(request.model, start.controller.signal);
        } catch (error) {
          await run.leave();
          throw error;
        }
        return run;
      },
      model: async () => {
        held ??= await deps.useModel(request.model, controller.signal);
        return held.runtime.profile.id;
      },
      spent: (usage) => spent?.(usage),
      resultCharacters: () => (held?.runtime.profile.contextSize ?? 0) * resultCharactersPerToken,
    });
  } catch (error) {
    const { reason } = controller.signal;
    if (held || !(reason instanceof EarlyEnd)) throw error;
    yield* endedEarlyEvents(reason);
  } finally {
    held?.release();
  }
}

/** A turn's results fill about half of the context at most: a token of English is four characters, of JSON two or three. */
const resultCharactersPerToken = 1.5;

/** Begins a run; a request that asked for it is told its places in the queue. */
async function* beginTelling(beginning: Beginning): AsyncGenerator<GenerationEvent, Run> {
  const { request, controller, since } = beginning;
  if (!request.progress || since !== undefined) return await begin(beginning);
  return yield* whileQueued(
    (onPlace) => begin({ ...beginning, onPlace }),
    () => controller.abort(new EarlyEnd('cancelled')),
  );
}

async function countPrompt(
  runtime: ModelRuntime,
  request: GenerationRequest,
  signal: AbortSignal,
): Promise<PromptCount> {
  const prompt = await promptTokens(runtime, request, signal);
  const adapters = adaptersOf(request, runtime);
  const { cachedTokens, readMs } = runtime.scheduler.foresee(admissionOf(request, prompt, { maxTokens: 1, adapters }));
  return {
    inputTokens: prompt.tokens.length,
    cachedTokens,
    ...(readMs !== undefined && { firstTokenMs: Math.ceil(readMs) }),
  };
}

interface Beginning {
  readonly deps: GenerationDependencies;
  readonly request: GenerationRequest;
  readonly controller: AbortController;
  /** Wall-clock, in milliseconds. */
  readonly limitMs: number;
  readonly thought: ThoughtControl;
  /** See RoundStart. */
  readonly since?: number | undefined;
  readonly read?: readonly number[] | undefined;
  /** Told its places in the queue. */
  readonly onPlace?: (place: QueuePlace) => void;
}

/** Findable by cancel calls from before it has a model, which may take a while, to its end. */
async function begin(beginning: Beginning): Promise<Run> {
  const { deps, request, controller, limitMs } = beginning;
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
  beginning.thought.slot = admitted.lease.slot;
  const giveBack = (how?: { readonly comesBack: boolean }) => {
    admitted.lease.release(how);
    use.release();
  };
  try {
    const run = runOnSlot({ ...admitted, deps, runtime: use.runtime, request, controller, limitMs });
    return { ...run, leave: (how) => run.leave().finally(() => giveBack(how)) };
  } catch (error) {
    giveBack();
    throw error;
  }
}

interface Started {
  readonly use: ModelUse<ModelRuntime>;
  readonly prompt: FittedPrompt;
  readonly reading: AnswerReading;
  readonly lease: Lease;
  readonly adapters: readonly number[] | undefined;
}

/** A model and a slot on it. */
async function start(beginning: Beginning): Promise<Started> {
  const { deps, request, controller, onPlace } = beginning;
  controller.signal.throwIfAborted();
  await deps.startGate?.pass(controller.signal, onPlace);
  const use = await deps.useModel(request.model, controller.signal);
  try {
    return { use, ...(await admit(beginning, use.runtime)) };
  } catch (error) {
    use.release();
    throw error;
  }
}

/** Everything that can be refused is refused before the request takes a place in the queue. */
async function admit(
  { deps, request, controller: { signal }, thought, onPlace, since, read }: Beginning,
  runtime: ModelRuntime,
): Promise<Omit<Started, 'use'>> {
  const adapters = adaptersOf(request, runtime);
  const prompt = await fitContext(runtime, request, signal, read);
  refuseToldMedia(request, prompt);
  const reading = await createTextPipeline(deps, runtime, request, prompt.opening, thought);
  const admission = admissionOf(request, prompt, { maxTokens: prompt.maxTokens, adapters });
  const more = { ...(onPlace && { onPlace }), ...(since !== undefined && { since }) };
  const lease = await runtime.scheduler.admit({ ...admission, ...more }, signal);
  return { prompt, reading, lease, adapters };
}

/** A medium's rows are no tokens: none has a probability. */
function refuseToldMedia({ promptLogprobs }: GenerationRequest, { media }: PromptTokens): void {
  if (!promptLogprobs || media.length === 0) return;
  throw new ServeError(
    'invalid_request',
    'Log probabilities of a prompt with images or sounds are not told. Ask for those of the answer alone.',
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
  { tokens, checkpoints }: PromptTokens,
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
function endedInQueue(reason: EarlyEnd): Run {
  const events = endedEarlyEvents(reason);
  return { next: async () => events.shift(), leave: async () => undefined };
}

function endedEarlyEvents({ ending }: EarlyEnd): GenerationEvent[] {
  return [{ type: 'start', inputTokens: 0, cachedTokens: 0 }, emptyFinish(ending)];
}
