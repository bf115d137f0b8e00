import { ServeError } from '../contract/errors.ts';
import type { EarlyEnding, FinishEvent, GenerationEvent, Usage } from '../contract/events.ts';
import type { GenerationRequest, ToolChoice } from '../contract/request.ts';
import { following } from '../contract/signals.ts';
import { AllowedRound } from './allowed-round.ts';
import { uniqueId } from './approvals.ts';
import type { GenerationDependencies, ToolBench } from './dependencies.ts';
import { EarlyEnd } from './endings.ts';
import { type Offer, offerTools, type ToolRequest } from './offer-tools.ts';
import { type CallContext, type RunningCalls, runCalls } from './run-calls.ts';
import type { Run } from './run-on-slot.ts';
import { type Ending, ToolAccount } from './tool-account.ts';
import { type ServerCall, ToolRound } from './tool-round.ts';

interface RoundStart {
  readonly request: GenerationRequest;
  /** Of this round alone: it is aborted at its end. */
  readonly controller: AbortController;
  /** What the wall-clock has left, in milliseconds. */
  readonly limitMs: number;
  /** A later round of an answer that came at this time; undefined: the first one. */
  readonly since: number | undefined;
  /** What the round before has read and written. */
  readonly read: readonly number[] | undefined;
}

export interface ToolLoop {
  readonly deps: GenerationDependencies;
  readonly bench: ToolBench;
  readonly request: ToolRequest;
  /** Of the whole answer. */
  readonly controller: AbortController;
  /** A round on a slot; what it tells before that are places in the queue. */
  begin(start: RoundStart): AsyncGenerator<GenerationEvent, Run>;
  /** The id of the model that answers, which then stays until the answer's end. */
  model(): Promise<string>;
  /** Told of each round that had a slot. */
  spent(usage: Usage): void;
  /** Characters that the results of a turn may have together, so that the model has room to read them. */
  resultCharacters(): number;
}

/**
 * Model, calls, results, model, until a turn has no call for the server to run. Each round has a slot of its own: while
 * tools run it is others'.
 */
export async function* answerWithTools(loop: ToolLoop): AsyncGenerator<GenerationEvent> {
  const { deps, bench, controller } = loop;
  const offer = await offerTools(loop.request, bench.host, controller.signal);
  try {
    yield* new ToolAnswer(loop, offer, deps.clock()).events();
  } finally {
    await offer.close();
  }
}

/** One answer on its way through its rounds. */
class ToolAnswer {
  readonly #loop: ToolLoop;
  readonly #offer: Offer;
  readonly #since: number;
  readonly #account: ToolAccount;
  /** Calls that are told apart by their ids. */
  readonly #ids = new Set<string>();
  /** Those of them that no other answer has meanwhile. */
  readonly #claimed = new Set<string>();
  #request: ToolRequest;
  #ending: Ending = { reason: 'stop' };
  #blocks = 0;
  #callsLeft: number;
  /** The client has been told that it began. */
  #begun = false;
  /** No further call is run. */
  #isLast = false;
  #read: readonly number[] | undefined;

  constructor(loop: ToolLoop, offer: Offer, since: number) {
    this.#loop = loop;
    this.#offer = offer;
    this.#since = since;
    this.#request = offer.request;
    this.#callsLeft = offer.request.serverTools.maxCalls;
    this.#account = new ToolAccount(loop.request.maxTokens, loop.deps.settings.maxPredictMs, offer.warnings);
  }

  async *events(): AsyncGenerator<GenerationEvent> {
    try {
      let goesOn = yield* this.#runAllowed();
      while (goesOn) goesOn = yield* this.#round();
    } catch (error) {
      const early = this.#begun ? endingOf(error) : undefined;
      if (!early) throw error;
      this.#ending = { ...this.#ending, ...early };
    } finally {
      this.#loop.bench.approvals.free(this.#claimed);
    }
    yield this.#account.finish(this.#ending);
  }

  readonly #idOf = (writtenId: string): string => {
    const { bench, request } = this.#loop;
    if (request.serverTools.confirm === 'never') return uniqueId(writtenId, this.#ids);
    const id = bench.approvals.claim(writtenId);
    this.#claimed.add(id);
    return id;
  };

  /** What the client has allowed since the model called it comes first. */
  async *#runAllowed(): AsyncGenerator<GenerationEvent, boolean> {
    const { allowedCalls = [] } = this.#request.serverTools;
    if (allowedCalls.length === 0) return true;
    const model = await this.#loop.model();
    this.#begun = true;
    yield { type: 'start', model, inputTokens: 0, cachedTokens: 0 };
    yield* this.#offer.lists;
    const round = new AllowedRound(allowedCalls, this.#offer, this.#idOf);
    yield* round.events();
    this.#blocks = allowedCalls.length;
    const running = yield* this.#run(round.calls);
    yield* round.refusals();
    this.#request = { ...this.#request, prompt: round.nextPrompt(this.#request.prompt, running.outcomes) };
    return this.#mayGoOn();
  }

  /** Whether there is a next one. */
  async *#round(): AsyncGenerator<GenerationEvent, boolean> {
    const { offered, asks } = this.#offer;
    const isFirst = !this.#begun;
    const round = new ToolRound(offered, { firstBlock: this.#blocks, isFirst, asks, idOf: this.#idOf });
    const finish = yield* this.#speak(round, isFirst);
    this.#ending = finish;
    this.#blocks = round.blocks;
    const calls = round.serverCalls;
    if (!goesOn(finish, calls)) return false;
    const running = yield* this.#run(calls);
    if (round.leavesCalls) return false;
    this.#request = nextRequest(this.#request, round, running, this.#account);
    return this.#mayGoOn();
  }

  async *#run(calls: readonly ServerCall[]): AsyncGenerator<GenerationEvent, RunningCalls> {
    const running = runCalls(calls, this.#callsLeft, callContext(this.#loop, this.#offer, calls.length));
    this.#callsLeft -= calls.length;
    yield* told(running, this.#loop.controller);
    return running;
  }

  #mayGoOn(): boolean {
    const { tokensLeft, msLeft } = this.#account;
    const isAtLimit = this.#callsLeft <= 0;
    const ends = isAtLimit && (this.#isLast || this.#request.serverTools.atLimit !== 'answer');
    if (ends || tokensLeft === 0 || msLeft <= 0) {
      this.#ending = { reason: 'length', ...(ends && { callLimit: true }) };
      return false;
    }
    if (isAtLimit) {
      this.#isLast = true;
      this.#request = withoutServerCalls(this.#request, this.#offer);
    }
    return true;
  }

  /** One turn of the model, told as it comes; its end is returned. */
  async *#speak(round: ToolRound, isFirst: boolean): AsyncGenerator<GenerationEvent, FinishEvent> {
    const { deps, controller } = this.#loop;
    const { controller: own, unfollow } = following(controller.signal);
    try {
      const run = yield* this.#loop.begin({
        request: this.#request,
        since: isFirst ? undefined : this.#since,
        controller: own,
        limitMs: this.#account.msLeft,
        read: this.#read,
      });
      const begunAt = deps.clock();
      let finish: FinishEvent | undefined;
      try {
        for (let event = await run.next(); event; event = await run.next()) {
          if (event.type === 'finish') finish = event;
          const passed = round.pass(event);
          if (passed) yield passed;
          if (event.type === 'start' && isFirst) yield* this.#offer.lists;
        }
      } finally {
        await run.leave({ comesBack: finish !== undefined && goesOn(finish, round.serverCalls) });
        if (run.usage) this.#loop.spent(run.usage());
        this.#read = run.tokens?.();
      }
      if (!finish) throw new ServeError('internal', 'The generation ended without its finish event.');
      this.#account.add(finish, deps.clock() - begunAt);
      this.#begun = true;
      return finish;
    } finally {
      unfollow();
    }
  }
}

/** A turn that was cut, or ended by a stop string, is the last one whatever it called. */
function goesOn({ reason, stopString }: FinishEvent, calls: readonly ServerCall[]): boolean {
  return reason === 'tool-calls' && stopString === undefined && calls.length > 0;
}

/** Whoever leaves while calls run ends them. */
async function* told(running: RunningCalls, controller: AbortController): AsyncGenerator<GenerationEvent> {
  let over = false;
  try {
    for (let event = await running.next(); event; event = await running.next()) yield event;
    over = true;
  } finally {
    if (!over) controller.abort(new EarlyEnd('cancelled'));
    await running.settled;
  }
}

function callContext(
  { deps, bench, request, controller, resultCharacters }: ToolLoop,
  host: Pick<Offer, 'call'>,
  calls: number,
): CallContext {
  return {
    host,
    approvals: bench.approvals,
    wish: request.serverTools,
    owner: request.keys.owner ?? '',
    answerId: request.keys.answerId,
    clock: deps.clock,
    signal: controller.signal,
    observer: deps.observer,
    maxCharacters: Math.max(200, Math.floor(resultCharacters() / calls)),
  };
}

function nextRequest(
  { promptLogprobs: _, ...request }: ToolRequest,
  round: ToolRound,
  { outcomes }: RunningCalls,
  account: ToolAccount,
): ToolRequest {
  return {
    ...request,
    prompt: round.nextPrompt(request.prompt, outcomes),
    maxTokens: account.tokensLeft,
    sampling: { ...request.sampling, seed: account.seed },
  };
}

/** The client's own tools may still be called; the prompt stays as it was read. */
function withoutServerCalls(request: ToolRequest, { offered }: Offer): ToolRequest {
  const { tools, toolChoice } = request.prompt;
  if (toolChoice.type === 'none') return request;
  const isOpen = (name: string) => toolChoice.type !== 'allowed' || toolChoice.names.includes(name);
  const names = tools.flatMap(({ name }) => (!offered.has(name) && isOpen(name) ? [name] : []));
  const clientsOnly: ToolChoice = { type: 'allowed', mode: 'auto', names };
  return { ...request, prompt: { ...request.prompt, toolChoice: clientsOnly } };
}

/** What ends an answer of several rounds properly: what was said of it stands. */
function endingOf(error: unknown): EarlyEnding | undefined {
  if (error instanceof EarlyEnd) return error.ending;
  const isFull = error instanceof ServeError && error.code === 'context_length_exceeded';
  return isFull ? { reason: 'length' } : undefined;
}
