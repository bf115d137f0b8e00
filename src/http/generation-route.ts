import type { ServeError } from '../contract/errors.ts';
import { toServeError } from '../contract/errors.ts';
import type { GenerationResult } from '../contract/events.ts';
import { Collector } from '../contract/events.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { AnswerContext, Dialect, ParsedCall } from '../dialects/dialect.ts';
import { AnswerStream } from './answer-stream.ts';
import type { ChoiceEvent } from './choices.ts';
import { ChoiceEvents } from './choices.ts';
import type { AppDependencies } from './dependencies.ts';
import type { Exchange } from './exchange.ts';
import { GenerationNotes } from './generation-notes.ts';
import { sessionKey } from './session-key.ts';
import { streamResponse } from './sse.ts';

type Handler = (exchange: Exchange) => Promise<Response>;

/** The one handler behind every generating endpoint. What is special about an endpoint is in its dialect. */
export function generationHandler<Call extends ParsedCall>(
  dialect: Dialect<Call>,
  dependencies: AppDependencies,
): Handler {
  return async (exchange) => {
    const call = dialect.parse(await exchange.json());
    const answer = answerContext(call, dependencies);
    exchange.note({ dialect: dialect.name, model: answer.model });
    const events = new ChoiceEvents(start(call, dialect.idPrefix + answer.id, exchange, dependencies));
    const notes = new GenerationNotes(exchange);
    if (call.stream) return stream({ dialect, call, answer, exchange, events, notes }, dependencies);
    const results = await whole(call, exchange, events, notes);
    return Response.json(dialect.whole(call, answer, results), {
      headers: warningHeader([...call.warnings, ...results.flatMap(({ finish }) => finish.warnings ?? [])]),
    });
  };
}

function answerContext(call: ParsedCall, { models, newId, unixSeconds }: AppDependencies): AnswerContext {
  return {
    id: newId(),
    created: unixSeconds(),
    model: models.resolve(call.generations[0]?.model).id,
    newId: (prefix) => prefix + newId(),
  };
}

function start(call: ParsedCall, answerId: string, exchange: Exchange, { generation }: AppDependencies) {
  const fromHeaders = sessionKey(exchange.request.headers);
  return call.generations.map((request) =>
    generation.generate(withKeys(request, answerId, fromHeaders), exchange.signal),
  );
}

function withKeys(request: GenerationRequest, answerId: string, session: string | undefined): GenerationRequest {
  const sessionId = request.keys.sessionId ?? session;
  return { ...request, keys: { ...request.keys, answerId, ...(sessionId !== undefined && { sessionId }) } };
}

/** `stream: false` is the same events, collected. */
async function whole(
  call: ParsedCall,
  exchange: Exchange,
  events: ChoiceEvents,
  notes: GenerationNotes,
): Promise<GenerationResult[]> {
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
  readonly dialect: Dialect<Call>;
  readonly call: Call;
  readonly answer: AnswerContext;
  readonly exchange: Exchange;
  readonly events: ChoiceEvents;
  readonly notes: GenerationNotes;
}

/** The first event decides: what fails before it gets a true status, what fails after it is a frame. */
async function stream<Call extends ParsedCall>(
  { dialect, call, answer, exchange, events, notes }: Streaming<Call>,
  { settings, clock, timers }: AppDependencies,
): Promise<Response> {
  const first = await firstEvent(exchange, events);
  const source = new AnswerStream({
    first,
    events,
    encoder: dialect.encoder(call, answer),
    observe: (step) => notes.observe(step),
    abort: (reason) => exchange.abort(reason),
    ended: (error) => {
      if (error) exchange.note({ outcome: error.code, error: error.message });
      exchange.end(200);
    },
  });
  exchange.markStreaming();
  return streamResponse(source, {
    format: dialect.format,
    headers: warningHeader(call.warnings),
    heartbeatMs: settings.heartbeatMs,
    stallTimeoutMs: settings.stallTimeoutMs,
    clock,
    timers,
  });
}

async function firstEvent(exchange: Exchange, events: ChoiceEvents): Promise<ChoiceEvent> {
  try {
    const first = await events.next();
    if (first) return first;
    throw new RangeError('a call without generations');
  } catch (thrown) {
    leave(exchange, events, toServeError(thrown));
    throw thrown;
  }
}

/** One choice failed, or the client left: no choice goes on. */
function leave(exchange: Exchange, events: ChoiceEvents, reason: ServeError): void {
  exchange.abort(reason);
  events.leave();
}

/** Header values are ASCII without line breaks. */
function warningHeader(warnings: readonly string[]): Record<string, string> {
  if (warnings.length === 0) return {};
  return {
    'x-serve-model-warning': [...new Set(warnings)]
      .join('; ')
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 2000),
  };
}
