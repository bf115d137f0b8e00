import type { Caller } from '../contract/caller.ts';
import { ServeError } from '../contract/errors.ts';
import type { RequestRecord } from '../contract/services.ts';
import type { AppDependencies } from './dependencies.ts';
import type { ErrorShape } from './error-response.ts';
import { readJson } from './read-body.ts';

type Notes = Partial<Omit<RequestRecord, 'requestId' | 'method' | 'path' | 'status' | 'totalMs'>>;

/** One request on its way through the door: what handlers may know of it, and its one line in the log. */
export class Exchange {
  readonly request: Request;
  readonly path: string;
  /** Named parts of the route's path, decoded. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly requestId: string;
  readonly shape: ErrorShape;
  readonly caller: Caller;
  readonly startedAt: number;
  readonly #dependencies: AppDependencies;
  readonly #controller = new AbortController();
  readonly #onGone = () => this.abort(new ServeError('client_closed', 'The client closed the connection.'));
  #body: Promise<unknown> | undefined;
  #notes: Notes = {};
  #answerId: string | undefined;
  #whenOver: ((record: RequestRecord) => void)[] = [];
  #streaming = false;
  #ended = false;

  constructor(
    request: Request,
    facts: {
      readonly path: string;
      readonly parameters: Readonly<Record<string, string>>;
      readonly requestId: string;
      readonly shape: ErrorShape;
      readonly caller: Caller;
    },
    dependencies: AppDependencies,
  ) {
    this.request = request;
    this.path = facts.path;
    this.parameters = facts.parameters;
    this.requestId = facts.requestId;
    this.shape = facts.shape;
    this.caller = facts.caller;
    this.#dependencies = dependencies;
    this.startedAt = dependencies.clock();
    // The adapter aborts with a string as its reason; from here on the reason is a ServeError.
    if (request.signal.aborted) this.#onGone();
    else request.signal.addEventListener('abort', this.#onGone, { once: true });
  }

  /** Aborted when the client leaves, with a ServeError as its reason. One per request: every wait looks at it. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  abort(reason: ServeError): void {
    if (!this.#controller.signal.aborted) this.#controller.abort(reason);
  }

  /** The body. A second call gives the same again. */
  json(): Promise<unknown> {
    this.#body ??= readJson(this.request, this.#dependencies.settings, this.#dependencies.timers);
    return this.#body;
  }

  header(name: string): string | undefined {
    return this.request.headers.get(name) ?? undefined;
  }

  /** Facts for the log line. */
  note(notes: Notes): void {
    this.#notes = { ...this.#notes, ...notes };
  }

  get notes(): Notes {
    return this.#notes;
  }

  /** The id under which the answer can be cancelled, once there is one. */
  get answerId(): string | undefined {
    return this.#answerId;
  }

  identify(answerId: string): void {
    this.#answerId = answerId;
  }

  /** Called once, after the last byte. */
  whenOver(callback: (record: RequestRecord) => void): void {
    this.#whenOver.push(callback);
  }

  sinceStart(): number {
    return this.#dependencies.clock() - this.startedAt;
  }

  /** The answer goes on after the handler has returned: whoever streams it calls `end`. */
  markStreaming(): void {
    this.#streaming = true;
  }

  get streaming(): boolean {
    return this.#streaming;
  }

  /** Writes the log line and lets go of the request. Called once, when nothing more will be sent. */
  end(status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.request.signal.removeEventListener('abort', this.#onGone);
    const record: RequestRecord = {
      requestId: this.requestId,
      method: this.request.method,
      path: this.path,
      outcome: 'ok',
      ...this.#notes,
      status,
      totalMs: this.sinceStart(),
    };
    for (const callback of this.#whenOver) callback(record);
    this.#dependencies.telemetry.request(record);
  }
}
