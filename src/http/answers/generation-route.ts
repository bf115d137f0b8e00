import { ServeError, toServeError } from '../../contract/errors.ts';
import type { GenerationEvent, GenerationResult, StartEvent } from '../../contract/events.ts';
import { Collector } from '../../contract/events.ts';
import type { GenerationRequest } from '../../contract/request.ts';
import type { ModelDirectory, Timers } from '../../contract/services.ts';
import type { AnswerContext, Dialect, ParsedCall, WholeAnswer } from '../../dialects/dialect.ts';
import { expectOwnThings } from '../access/own-things.ts';
import { serverToolsFor, withGranted } from '../access/server-tools.ts';
import { type AnswerKeeper, keeperOf } from '../chats/answer-keeper.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { warningHeader } from '../headers.ts';
import type { KeptRun, KeptRunOptions } from '../runs/kept-run.ts';
import type { KeptRuns } from '../runs/kept-runs.ts';
import { RunReader } from '../runs/run-reader.ts';
import { streamResponse } from '../streams/sse.ts';
import { AnswerStream } from './answer-stream.ts';
import { type ChoiceEvent, ChoiceEvents } from './choices.ts';
import { GenerationNotes } from './generation-notes.ts';
import { hideServerCalls } from './hide-server-calls.ts';
import { owned, sessionOf } from './owned-request.ts';

type Handler = (exchange: Exchange) => Promise<Response>;

export type AnswerDependencies = AppDependencies & { readonly runs: KeptRuns };

/**
 * The one handler behind every generating endpoint. What is special about an endpoint is in its dialect. `before`: what has to
 * be so before the answer begins.
 */
export function generationHandler<Call extends ParsedCall>(
  dialect: Dialect<Call, WholeAnswer>,
  dependencies: AnswerDependencies,
  before?: (call: Call, exchange: Exchange) => Promise<void>,
): Handler {
  return async (exchange) => {
    const call = dialect.parse(await exchange.json(), dependencies.serverTools !== undefined);
    if (isResumable(call)) checkResumable(call, exchange, dependencies);
    const keeper = await keeperOf(dialect, call, exchange, dependencies);
    const answer = beginAnswer(dialect, call, exchange, dependencies);
    await before?.(call, exchange);
    if (call.stream)
      return stream(
        { dialect, call, answer, exchange, ...(keeper && { keeper: keeper((start) => answerOf(answer, start)) }) },
        dependencies,
      );
    const results = await whole(call, exchange, choiceEvents(dialect, call, exchange, dependencies));
    return Response.json(dialect.whole(call, answerOf(answer, results[0]?.start), results), {
      headers: warningHeader([...call.warnings, ...results.flatMap(({ finish }) => finish.warnings ?? [])]),
    });
  };
}

/** The checks that every answer passes, and a name for it, by which it can be found. */
export function beginAnswer<Call extends ParsedCall>(
  dialect: Pick<Dialect, 'name' | 'idPrefix'>,
  call: Call,
  exchange: Exchange,
  { models, newId, unixSeconds, settings }: AppDependencies,
): AnswerContext {
  checkTools(call.generations, settings.toolAllow);
  const id = newId();
  const { id: model } = models.expect(call.model ?? call.generations[0]?.model);
  exchange.note({ dialect: dialect.name, model });
  exchange.identify(dialect.idPrefix + id);
  return { id, created: unixSeconds(), model, newId: (prefix) => prefix + newId() };
}

/** --tool-allow: a request may offer these tools and no others. An empty list allows all. */
function checkTools(requests: readonly GenerationRequest[], allowed: readonly string[]): void {
  const prompt = requests[0]?.prompt;
  if (allowed.length === 0 || prompt?.type !== 'chat') return;
  const refused = prompt.tools.find(({ name }) => !allowed.includes(name));
  if (refused === undefined) return;
  throw new ServeError(
    'forbidden',
    `The tool ${JSON.stringify(refused.name)} is not allowed here. Allowed: ${allowed.join(', ')} (--tool-allow).`,
    { param: 'tools' },
  );
}

/** By the model that really answers: what was expected while the server started may have been a guess. */
function answerOf(answer: AnswerContext, start: StartEvent | undefined): AnswerContext {
  return start?.model === undefined ? answer : { ...answer, model: start.model };
}

function choiceEvents(
  dialect: Pick<Dialect, 'showsServerTools'>,
  call: ParsedCall,
  exchange: Exchange,
  dependencies: AppDependencies,
): ChoiceEvents {
  return new ChoiceEvents(startRuns(call, exchange, dependencies, dialect), choicesAtOnce(dependencies.models, call));
}

/** The runs of an answer that has begun, one for each choice. */
function startRuns(
  call: ParsedCall,
  exchange: Exchange,
  dependencies: AppDependencies,
  { showsServerTools }: Pick<Dialect, 'showsServerTools'>,
): AsyncIterable<GenerationEvent>[] {
  const { generations } = call;
  const granted = serverToolsFor(call, exchange, dependencies);
  const isShown = showsServerTools === 'always' || (showsServerTools === 'asked' && granted?.asked === true);
  const asShown = granted && !isShown ? hideServerCalls : undefined;
  return generations.map((asked, choice) => {
    const request = withGranted(asked, granted);
    // Choices share their prompt, which so counts once, as in the usage that the client is told.
    const isPayer = generations.findIndex(({ prompt }) => prompt === asked.prompt) === choice;
    const run = dependencies.generation.generate(owned(request, exchange, dependencies), exchange.signal, (usage) =>
      exchange.spend(isPayer ? usage : { ...usage, inputTokens: 0, cachedTokens: 0 }),
    );
    return asShown ? asShown(run) : run;
  });
}

/** Enough to keep every slot busy; one call with many prompts must not fill the queue, nor be refused by it. */
function choicesAtOnce(models: ModelDirectory, call: ParsedCall): number {
  return 2 * models.expect(call.generations[0]?.model).slots;
}

/** `stream: false` is the same events, collected. */
async function whole(call: ParsedCall, exchange: Exchange, events: ChoiceEvents): Promise<GenerationResult[]> {
  const notes = new GenerationNotes(exchange);
  const collectors = call.generations.map(() => new Collector());
  try {
    for (let step = await events.next(); step; step = await events.next()) {
      notes.observe(step);
      collectors[step.choice]?.add(step.event);
    }
  } catch (thrown) {
    leave(exchange, events, toServeError(thrown));
    throw thrown;
  }
  return collectors.map((collector) => collector.result());
}

interface Streaming<Call extends ParsedCall> {
  readonly dialect: Dialect<Call, WholeAnswer>;
  readonly call: Call;
  readonly answer: AnswerContext;
  readonly exchange: Exchange;
  /** Of a run that outlives its reader. */
  readonly keeper?: AnswerKeeper;
}

/**
 * The first event decides: what fails before it gets a true status, what fails after it is a frame. But no client is left
 * without a sign for longer than a heartbeat: where the first event takes more (a queue, a model that loads), headers and
 * a heartbeat go out, and the status is 200 whatever comes.
 */
async function stream<Call extends ParsedCall>(
  streaming: Streaming<Call>,
  dependencies: AnswerDependencies,
): Promise<Response> {
  const { dialect, call, exchange } = streaming;
  const { settings, clock, timers, runs } = dependencies;
  const options = answerOptions(streaming, dependencies);
  const run = isResumable(call) ? runOf(streaming, dependencies, {}, options) : undefined;
  const silent = await isSilent(options.first, settings.heartbeatMs, timers).catch((thrown: unknown) => {
    options.abort(toServeError(thrown));
    // Whoever is there is told by the status; who has left finds out when it comes back.
    if (run && !exchange.request.signal.aborted) runs.forget(run);
    throw thrown;
  });
  const source = run
    ? new RunReader(run, { startingAfter: -1, numbered: true, closed: () => exchange.end(200) })
    : new AnswerStream({
        ...options,
        ended: (error) => {
          noteFailure(error, exchange);
          exchange.end(200);
        },
      });
  exchange.markStreaming();
  return streamResponse(source, {
    format: dialect.format,
    headers: { ...warningHeader(call.warnings), ...(run && runHeader(run)) },
    heartbeatMs: settings.heartbeatMs,
    stallTimeoutMs: settings.stallTimeoutMs,
    gatherMs: settings.gatherMs,
    beginWithHeartbeat: silent,
    clock,
    timers,
  });
}

/** Its work begins with this. */
function answerOptions<Call extends ParsedCall>(
  { dialect, call, answer, exchange }: Streaming<Call>,
  dependencies: AppDependencies,
) {
  const events = choiceEvents(dialect, call, exchange, dependencies);
  const notes = new GenerationNotes(exchange);
  return {
    first: events.next(),
    events,
    encoder: (start: StartEvent | undefined) => dialect.encoder(call, answerOf(answer, start)),
    observe: (step: ChoiceEvent) => notes.observe(step),
    abort: (reason: ServeError) => leave(exchange, events, reason),
  };
}

/** An answer that goes on when its reader leaves; its work begins with this. */
export function runOf<Call extends ParsedCall>(
  streaming: Streaming<Call>,
  dependencies: AnswerDependencies,
  more: Partial<Pick<KeptRunOptions, 'encoder' | 'isStopped'>> = {},
  options = answerOptions(streaming, dependencies),
): KeptRun {
  const { dialect, call, answer, exchange, keeper } = streaming;
  const { cancelId } = call.generations[0]?.keys ?? {};
  return dependencies.runs.keep(
    {
      id: dialect.idPrefix + answer.id,
      owner: exchange.caller.owner,
      dialect,
      path: exchange.path,
      model: answer.model,
      created: answer.created,
      sessionId: sessionOf(call.generations[0], exchange),
      cancelId,
    },
    {
      ...options,
      ...more,
      refuse: (error) => dialect.encoder(call, answer).fail(error),
      observe: (step) => {
        keeper?.observe(step);
        options.observe(step);
      },
      ended: (error) => {
        keeper?.ended(error);
        if (more.isStopped?.()) exchange.note({ outcome: 'cancelled' });
        else noteFailure(error, exchange);
      },
    },
    exchange,
  );
}

/** Some forms of streams do not tell the id of their answer. */
export function runHeader({ facts }: KeptRun): Record<string, string> {
  return { 'x-serve-model-run': facts.id };
}

function isResumable({ generations }: ParsedCall): boolean {
  return generations.some(({ resumable }) => resumable);
}

function checkResumable({ stream }: ParsedCall, { caller }: Exchange, { keyring }: AppDependencies): void {
  if (!stream)
    throw new ServeError(
      'invalid_request',
      '`resumable` is for streams: a whole answer comes in one piece. Send `stream`: true with it.',
      { param: 'resumable' },
    );
  expectOwnThings(caller, keyring(), 'Runs that go on without their reader');
}

function noteFailure(error: ServeError | undefined, exchange: Exchange): void {
  if (error) exchange.note({ outcome: error.code, error: error.message });
}

/** Whether nothing came in this time. Rejects with what the first event rejects with in it. */
async function isSilent(first: Promise<unknown>, milliseconds: number, timers: Timers): Promise<boolean> {
  let disarm: () => void = () => undefined;
  const timeUp = new Promise<true>((resolve) => {
    disarm = timers.after(milliseconds, () => resolve(true));
  });
  try {
    return await Promise.race([first.then(() => false), timeUp]);
  } finally {
    disarm();
  }
}

/** One choice failed, or the client left: no choice goes on. */
function leave(exchange: Exchange, events: ChoiceEvents, reason: ServeError): void {
  exchange.abort(reason);
  exchange.brokenOff(events.leave());
}
