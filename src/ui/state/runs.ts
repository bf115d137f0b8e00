import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure, reasonOf } from '../api/failure.ts';
import { beginAnswer, endAnswer, type Growing, grow } from '../chats/answer.ts';
import { type Chunk, readChunk } from '../chats/chunk.ts';
import type { PlacedToken } from '../chats/lens.ts';
import type { AssistantMessage, Failure, Outcome } from '../chats/message.ts';
import type { Environment } from './environment.ts';
import type { Server } from './server.ts';
import { Turns } from './turns.ts';

/** What an answer is waiting for, or doing. */
export type RunPhase =
  /** Nothing was heard yet. */
  | { readonly kind: 'sent' }
  /** The model is not there yet, or the server is not. */
  | { readonly kind: 'model' }
  /** As many answers as this page may have streams are being written. */
  | { readonly kind: 'turn' }
  | { readonly kind: 'queued'; readonly position: number; readonly etaMs: number | undefined }
  | {
      readonly kind: 'reading';
      readonly total: number;
      readonly cached: number;
      readonly processed: number;
      readonly ms: number;
    }
  | { readonly kind: 'thinking' | 'writing' | 'calling' | 'stopping' }
  /** The server had no room; it is asked again then, by the clock. */
  | { readonly kind: 'later'; readonly at: number };

export interface Run {
  readonly chatId: string;
  /** As it grows. */
  readonly message: ReadonlySignal<AssistantMessage>;
  readonly phase: ReadonlySignal<RunPhase>;
  /** As the server calls the answer; undefined until it said so. */
  readonly answerId: string | undefined;
  /** Ends it with what there is. Once is enough. */
  stop(): void;
  /** Asks again now, where it waits to. */
  hurry(): void;
  /** Ends the thought: what comes next is the answer. */
  answerNow(): void;
}

interface RunRequest {
  readonly chatId: string;
  /** What is there already; empty, or the beginning that is continued. */
  readonly message: AssistantMessage;
  /** For /v1/chat/completions, without what every run sets. Made when it is sent: until then the model may change. */
  readonly body: () => Promise<Readonly<Record<string, unknown>>>;
}

/** A run that the server went on with while no page was there. */
interface RunLeft {
  readonly chatId: string;
  /** As it was when the run began. */
  readonly message: AssistantMessage;
  readonly cancelId: string;
  readonly runId: string;
}

/** What there is so far of an answer, for the case that its page dies. */
export interface RunSoFar {
  readonly chatId: string;
  readonly message: AssistantMessage;
  readonly base: AssistantMessage;
  readonly cancelId: string;
}

export interface Runs {
  /** By the id of the answer. */
  readonly live: ReadonlySignal<ReadonlyMap<string, Run>>;
  /** Of answers that came with the probability of their tokens, by id. Not kept: they are larger than the text by far. */
  readonly tokens: Map<string, readonly PlacedToken[]>;
  start(request: RunRequest): Run;
  /** Takes up a run where its first page left it. */
  pickUp(left: RunLeft): Run;
  /** The latest: an earlier one may still be stopping. */
  ofChat(chatId: string): Run | undefined;
}

export interface RunsOptions {
  readonly api: ApiClient;
  readonly server: Server;
  readonly environment: Environment;
  /** Told now and then what there is so far, so that a page that dies loses little. */
  readonly save: (soFar: RunSoFar) => void;
  /** Told once, at the end. */
  readonly done: (chatId: string, message: AssistantMessage) => void;
}

/** A cancelled answer ends by itself with its figures; where that does not come, the connection is cut. */
const politeMs = 1500;
const saveMs = 700;
/** Text is held back for the next picture, but never more than this. */
const mostHeld = 256;
const retryMs = 2000;
/** Of the six connections that a browser opens to a server: two hear the news, one is left for stops, counts and chats. */
const mostStreams = 3;

export function createRuns(options: RunsOptions): Runs {
  const live = signal<ReadonlyMap<string, Run>>(new Map());
  const turns = new Turns(mostStreams);
  const tokens: Runs['tokens'] = new Map();
  const follow = (run: LiveRun): Run => {
    const { id } = run.message.value;
    live.value = new Map(live.value).set(id, run);
    void run.drive(turns).then((message) => {
      const rest = new Map(live.value);
      rest.delete(id);
      batch(() => {
        options.done(run.chatId, message);
        live.value = rest;
      });
    });
    return run;
  };
  return {
    live,
    tokens,
    ofChat: (chatId) => [...live.value.values()].findLast((run) => run.chatId === chatId),
    start: (request) => follow(new LiveRun(request, options, { cancelId: options.environment.newId(), tokens })),
    pickUp: ({ chatId, message, cancelId, runId }) =>
      follow(new LiveRun({ chatId, message, body: async () => ({}) }, options, { cancelId, runId, tokens })),
  };
}

interface RunIds {
  readonly cancelId: string;
  readonly runId?: string;
  /** Where those of all answers are. */
  readonly tokens: Runs['tokens'];
}

class LiveRun implements Run {
  readonly chatId: string;
  readonly message: Signal<AssistantMessage>;
  readonly phase = signal<RunPhase>({ kind: 'sent' });
  readonly #request: RunRequest;
  readonly #options: RunsOptions;
  readonly #cancelId: string;
  readonly #tokens: Runs['tokens'];
  /** Of what was there before. */
  readonly #tokensBefore: readonly PlacedToken[];
  readonly #abort = new AbortController();
  #growing: Growing;
  #stopped = false;
  /** The request is on its way or answered: stopping takes a word to the server. */
  #isOut = false;
  #heardAny = false;
  #held = 0;
  #frameAsked = false;
  #savedAt = 0;
  /** The next event is the first one once more. */
  #again = false;
  /** Under which the server gives the answer again, once it said so. */
  #runId: string | undefined;
  /** As the server calls the answer that is being written. */
  #answerId: string | undefined;
  #wake: () => void = () => undefined;

  constructor(request: RunRequest, options: RunsOptions, ids: RunIds) {
    this.#request = request;
    this.#options = options;
    this.chatId = request.chatId;
    this.message = signal(request.message);
    this.#tokens = ids.tokens;
    this.#tokensBefore = ids.tokens.get(request.message.id) ?? [];
    this.#growing = beginAnswer(request.message, this.#tokensBefore);
    this.#cancelId = ids.cancelId;
    this.#runId = ids.runId;
  }

  get answerId(): string | undefined {
    return this.#answerId;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    this.phase.value = { kind: 'stopping' };
    this.#wake();
    const { api, environment } = this.#options;
    if (!this.#isOut) {
      this.#abort.abort('stopped');
      return;
    }
    const cut = () => this.#abort.abort('stopped');
    api
      .call('api/inference/cancel', { body: { cancel_id: this.#cancelId }, keepalive: true })
      .then(() => environment.after(politeMs, cut), cut);
  }

  hurry(): void {
    this.#wake();
  }

  answerNow(): void {
    if (this.#answerId === undefined) return;
    // A thought that is over by now needs no ending.
    this.#options.api
      .call('v1/chat/completions/control', { body: { id: this.#answerId, action: 'reasoning_end' } })
      .catch(() => undefined);
  }

  /** Settles with the answer as it stays. Never rejects. */
  async drive(turns: Turns): Promise<AssistantMessage> {
    if (turns.isFull && !this.#stopped) this.phase.value = { kind: 'turn' };
    // None is given to one that was stopped meanwhile: its attempt ends before it asks for anything.
    const handOn = await turns.take(this.#abort.signal);
    try {
      for (;;) {
        const outcome = await this.#attempt();
        if (outcome !== 'again') {
          this.#publish();
          this.#save();
          return this.#ended(outcome);
        }
      }
    } finally {
      handOn?.();
    }
  }

  #ended({ outcome, failure }: { outcome: Outcome; failure?: Failure }): AssistantMessage {
    const message = endAnswer(this.#growing, outcome, this.#options.environment.clock());
    return failure === undefined ? message : { ...message, failure };
  }

  async #attempt(): Promise<'again' | { outcome: Outcome; failure?: Failure }> {
    const { server } = this.#options;
    const { signal } = this.#abort;
    try {
      if (server.phase.value !== 'ready') {
        this.phase.value = { kind: 'model' };
        await server.ready(signal);
      }
      if (this.#stopped) return { outcome: 'stopped' };
      this.phase.value = { kind: 'sent' };
      this.#isOut = true;
      this.#save();
      for await (const value of this.#events(signal)) this.#take(readChunk(value));
      return { outcome: this.#stopped ? 'stopped' : 'stop' };
    } catch (thrown) {
      if (this.#stopped) return { outcome: 'stopped' };
      if (thrown instanceof ApiFailure) return await this.#afterFailure(thrown);
      // Of this page or its browser: a picture that its store does not give, say.
      return { outcome: 'error', failure: { message: reasonOf(thrown) } };
    } finally {
      this.#isOut = false;
    }
  }

  /** The answer's events: asked for, or given again from the first one. */
  async *#events(signal: AbortSignal): AsyncGenerator<unknown> {
    const { api, server } = this.#options;
    if (this.#runId !== undefined) {
      this.#again = true;
      yield* api.stream(`api/runs/${this.#runId}`, { signal });
      return;
    }
    const always = {
      stream: true,
      stream_options: { include_usage: true },
      return_progress: true,
      ...(server.rights.value.runs && { resumable: true }),
      ...(server.facts.value?.endsThoughts && { reasoning_control: true }),
    };
    const ids = { session_id: this.chatId, cancel_id: this.#cancelId };
    const body = { ...(await this.#request.body()), ...always, ...ids };
    yield* api.stream('v1/chat/completions', { body, signal });
  }

  /** What was never begun is asked for again by itself; what was begun keeps what there is. */
  async #afterFailure(failure: ApiFailure): Promise<'again' | { outcome: Outcome; failure: Failure }> {
    const told: Failure = {
      message: failure.message,
      ...(failure.code !== undefined && { code: failure.code }),
      status: failure.status,
      ...(failure.requestId !== undefined && { requestId: failure.requestId }),
    };
    const finished = this.#growing.message.outcome !== undefined;
    if (finished) return { outcome: 'stop', failure: told };
    // The connection broke, not the answer: the server still has it, from its first event on.
    if (this.#runId !== undefined && failure.kind !== 'refused') return 'again';
    // It was to be given again and is not there any more: what was seen of it is all there is.
    if (this.#runId !== undefined && failure.status === 404) return { outcome: 'interrupted', failure: told };
    if (this.#heardAny) return { outcome: failure.kind === 'refused' ? 'error' : 'interrupted', failure: told };
    if (failure.kind === 'unreachable') return 'again';
    if (failure.status === 401) return 'again';
    if (failure.status === 429 || failure.status === 503) {
      await this.#pause(failure.retryAfterMs ?? retryMs);
      return 'again';
    }
    return { outcome: 'error', failure: told };
  }

  #pause(milliseconds: number): Promise<void> {
    const { environment, server } = this.#options;
    if (this.#stopped) return Promise.resolve();
    this.phase.value = { kind: 'later', at: environment.clock() + milliseconds };
    return new Promise<void>((resolve) => {
      const cancel = environment.after(milliseconds, resolve);
      this.#wake = () => {
        cancel();
        resolve();
      };
    }).then(() => server.look());
  }

  #take(chunk: Chunk): void {
    const { environment, server } = this.#options;
    if (this.#again) {
      this.#again = false;
      this.#growing = beginAnswer(this.#request.message, this.#tokensBefore);
    }
    this.#answerId = chunk.id ?? this.#answerId;
    if (chunk.id !== undefined && server.rights.value.runs) this.#runId = chunk.id;
    const contextSize = server.facts.value?.contextSize;
    this.#growing = grow(this.#growing, chunk, { at: environment.clock(), contextSize });
    const written = chunk.calls.map((call) => call.arguments).join('') + (chunk.serverTool?.argumentsDelta ?? '');
    const said = (chunk.text ?? '') + (chunk.thought ?? '') + written;
    if (said !== '' || chunk.calls.length > 0 || chunk.serverTool) this.#heardAny = true;
    const next = phaseAfter(chunk);
    if (next && !this.#stopped && !samePhase(next, this.phase.value)) this.phase.value = next;
    this.#held += said.length;
    if (this.#held > mostHeld) this.#publish();
    else if (!this.#frameAsked) {
      this.#frameAsked = true;
      environment.onFrame(() => {
        this.#frameAsked = false;
        this.#publish();
      });
    }
  }

  #publish(): void {
    this.#held = 0;
    const { message, tokens } = this.#growing;
    if (tokens.length > 0) this.#tokens.set(message.id, tokens);
    this.message.value = message;
    const now = this.#options.environment.clock();
    if (now - this.#savedAt >= saveMs) this.#save();
  }

  #save(): void {
    this.#savedAt = this.#options.environment.clock();
    const { message } = this.#growing;
    this.#options.save({ chatId: this.chatId, message, base: this.#request.message, cancelId: this.#cancelId });
  }
}

function phaseAfter(chunk: Chunk): RunPhase | undefined {
  if (chunk.calls.length > 0 || chunk.serverTool) return { kind: 'calling' };
  if (chunk.text) return { kind: 'writing' };
  if (chunk.thought) return { kind: 'thinking' };
  if (chunk.reading) return { kind: 'reading', ...chunk.reading };
  if (chunk.queue) return { kind: 'queued', ...chunk.queue };
  return undefined;
}

/** Two of one kind without figures are one. */
function samePhase(left: RunPhase, right: RunPhase): boolean {
  return left.kind === right.kind && Object.keys(left).length === 1;
}
