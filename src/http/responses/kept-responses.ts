import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ResponseStore, StoredResponse } from '../../contract/services.ts';
import { openaiResponses } from '../../dialects/openai-responses/index.ts';
import { parseResponses, type ResponsesCall } from '../../dialects/openai-responses/request.ts';
import { BackgroundRuns } from '../../responses/background-runs.ts';
import { resolveHistory } from '../../responses/history.ts';
import { keptInput, withItemIds } from '../../responses/item-ids.ts';
import { storingDialect } from '../../responses/storing-dialect.ts';
import { type AnswerDependencies, beginAnswer, generationHandler, runOf } from '../answers/generation-route.ts';
import type { Exchange } from '../exchange.ts';
import { warningHeader } from '../headers.ts';
import { queryNumber } from '../query-number.ts';
import type { KeptRun } from '../runs/kept-run.ts';
import { type ReadableRun, RunReader } from '../runs/run-reader.ts';
import { streamResponse } from '../streams/sse.ts';
import { pageOf } from './item-page.ts';

/** The Responses API with a store behind it. */
export class KeptResponses {
  readonly #store: ResponseStore;
  readonly #dependencies: AnswerDependencies;
  readonly #runs: BackgroundRuns<KeptRun>;

  constructor(store: ResponseStore, dependencies: AnswerDependencies) {
    this.#store = store;
    this.#dependencies = dependencies;
    this.#runs = new BackgroundRuns(store, dependencies.telemetry.log);
  }

  async parse(exchange: Exchange): Promise<ResponsesCall> {
    const find = (id: string) => this.#store.find(id, exchange.caller);
    const { body, history } = await resolveHistory(await exchange.json(), find, openaiResponses.idPrefix);
    const withTools = this.#dependencies.serverTools !== undefined;
    return parseResponses(body, { history, store: true, withTools });
  }

  async create(exchange: Exchange): Promise<Response> {
    const call = await this.parse(exchange);
    if (call.settings.background === true) return this.#createInBackground(call, exchange);
    const dialect =
      call.settings.store === true
        ? storingDialect(call, (response, answer) =>
            this.#keep(response, keptInput(call.input, answer.id), exchange.caller),
          )
        : { ...openaiResponses, parse: () => call };
    return generationHandler(dialect, this.#dependencies)(exchange);
  }

  async retrieve(exchange: Exchange): Promise<Response> {
    const id = idOf(exchange);
    const query = new URL(exchange.request.url).searchParams;
    const background = this.#runs.find(id, exchange.caller);
    if (query.get('stream') !== 'true')
      return Response.json(background?.response ?? (await this.#entry(id, exchange)).response);
    const startingAfter = queryNumber(query, 'starting_after') ?? -1;
    if (background) return this.#stream(background.run, startingAfter, exchange);
    const { events } = await this.#entry(id, exchange);
    if (events === undefined)
      throw new ServeError(
        'invalid_request',
        `The stream of ${JSON.stringify(id)} was not kept: only responses with \`background\`: true can be streamed again, unless they are very long. Ask without \`stream\`.`,
        { param: 'stream' },
      );
    return this.#stream(endedRun(events), startingAfter, exchange);
  }

  async delete(exchange: Exchange): Promise<Response> {
    const id = idOf(exchange);
    const dropped = this.#runs.drop(id, exchange.caller);
    if (dropped) this.#dependencies.runs.forget(dropped);
    if (!(await this.#store.remove(id, exchange.caller))) throw notFound(id);
    return Response.json({ id, object: 'response', deleted: true });
  }

  async cancel(exchange: Exchange): Promise<Response> {
    const id = idOf(exchange);
    const background = this.#runs.find(id, exchange.caller);
    if (background) {
      background.stop();
      await background.run.done;
      return Response.json(background.response);
    }
    const { response } = await this.#entry(id, exchange);
    if (response.background === true) return Response.json(response);
    throw new ServeError(
      'invalid_request',
      `The response ${JSON.stringify(id)} was not created with \`background\`: true, and it is over. Close the connection of a running one to stop it.`,
    );
  }

  async inputItems(exchange: Exchange): Promise<Response> {
    const { input } = await this.#entry(idOf(exchange), exchange);
    return Response.json(pageOf(input, new URL(exchange.request.url).searchParams));
  }

  async #createInBackground(call: ResponsesCall, exchange: Exchange): Promise<Response> {
    const answer = withItemIds(beginAnswer(openaiResponses, call, exchange, this.#dependencies));
    const { caller } = exchange;
    const { run, response } = await this.#runs.start({
      call,
      answer,
      input: keptInput(call.input, answer.id),
      owner: caller.owner,
      begin: (encoder, isStopped) =>
        runOf({ dialect: openaiResponses, call, answer, exchange }, this.#dependencies, {
          encoder: () => encoder,
          isStopped,
        }),
      cancel: () => {
        const answerId = openaiResponses.idPrefix + answer.id;
        return (this.#dependencies.cancel?.({ answerId }, caller) ?? 0) > 0;
      },
      breakOff: (reason) => exchange.abort(reason),
    });
    if (call.stream) return this.#stream(run, -1, exchange, call.warnings);
    return Response.json(response, { headers: warningHeader(call.warnings) });
  }

  #stream(run: ReadableRun, startingAfter: number, exchange: Exchange, warnings: readonly string[] = []): Response {
    const { settings, clock, timers } = this.#dependencies;
    // Each event has its `sequence_number`.
    const source = new RunReader(run, { startingAfter, numbered: false, closed: () => exchange.end(200) });
    exchange.markStreaming();
    return streamResponse(source, {
      format: 'sse',
      headers: warningHeader(warnings),
      heartbeatMs: settings.heartbeatMs,
      stallTimeoutMs: settings.stallTimeoutMs,
      gatherMs: settings.gatherMs,
      clock,
      timers,
    });
  }

  #keep(response: JsonObject, input: readonly JsonObject[], { owner }: Caller): void {
    const id = String(response.id);
    this.#store.save({ id, owner, response, input }).catch((error: unknown) => {
      this.#dependencies.telemetry.log('error', 'a response could not be kept', { id, error });
    });
  }

  async #entry(id: string, { caller }: Exchange): Promise<StoredResponse> {
    const entry = await this.#store.find(id, caller);
    if (entry === undefined) throw notFound(id);
    const { status } = entry.response;
    if (status !== 'queued' && status !== 'in_progress') return entry;
    // Nobody runs it: the server was stopped in between.
    const error = { code: 'server_error', message: 'The server stopped while it generated this response.' };
    return { ...entry, response: { ...entry.response, status: 'failed', error } };
  }
}

function endedRun(events: readonly JsonObject[]): ReadableRun {
  const frames = events.map((event) => ({
    type: 'written' as const,
    text: JSON.stringify(event),
    event: String(event.type),
  }));
  return {
    over: true,
    first: 0,
    next: frames.length,
    from: (number) => frames.slice(number),
    changed: async () => undefined,
    heartbeat: () => ({ type: 'comment', text: 'still working' }),
    refuse: () => [],
  };
}

function idOf(exchange: Exchange): string {
  return exchange.parameters.id ?? '';
}

function notFound(id: string): ServeError {
  return new ServeError(
    'not_found',
    `There is no response ${JSON.stringify(id)}. It was never kept, was deleted, or is older than what the server keeps.`,
  );
}
