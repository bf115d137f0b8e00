import type { Caller } from '../contract/caller.ts';
import { ServeError } from '../contract/errors.ts';
import type { Usage } from '../contract/events.ts';
import type { RequestRecord } from '../contract/services.ts';
import { readJson } from './bodies/read-body.ts';
import type { AppDependencies } from './dependencies.ts';
import type { ErrorShape } from './error-response.ts';

type Spent = Pick<Usage, 'inputTokens' | 'cachedTokens' | 'outputTokens'>;
type Notes = Partial<Omit<RequestRecord, 'requestId' | 'method' | 'path' | 'route' | 'key' | 'status' | 'totalMs'>>;

/** One request on its way through the door: what handlers may know of it, and its one line in the log. */
export class Exchange {
  readonly request: Request;
  readonly path: string;
  readonly #route: string | undefined;
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
  #whenOver: (() => void)[] = [];
  #whenSpent: ((spent: Spent) => void)[] = [];
  #spent: Spent | undefined;
  #inBackground = false;
  readonly #lastSteps: Promise<void>[] = [];
  #streaming = false;
  #ended = false;

  constructor(
    request: Request,
    facts: {
      readonly path: string;
      /** As in RequestRecord. */
      readonly route: string | undefined;
      readonly parameters: Readonly<Record<string, string>>;
      readonly requestId: string;
      readonly shape: ErrorShape;
      readonly caller: Caller;
    },
    dependencies: AppDependencies,
  ) {
    this.request = request;
    this.path = facts.path;
    this.#route = facts.route;
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

  /** Called once, after the last byte, and after the end of work that outlives it. */
  whenOver(callback: () => void): void {
    this.#whenOver.push(callback);
  }

  /** Tokens that a part of the work took; parts add up, however they ended. */
  spend(spent: Spent): void {
    const { inputTokens, cachedTokens, outputTokens } = spent;
    const before = this.#spent;
    this.#spent = {
      inputTokens: (before?.inputTokens ?? 0) + inputTokens,
      cachedTokens: (before?.cachedTokens ?? 0) + cachedTokens,
      outputTokens: (before?.outputTokens ?? 0) + outputTokens,
    };
    for (const callback of this.#whenSpent) callback(spent);
  }

  /** Told of every part. */
  whenSpent(callback: (spent: Spent) => void): void {
    this.#whenSpent.push(callback);
  }

  /**
   * From now on the work goes on when its client leaves. It counts as under way until `done` settles, and its line in the
   * log is written then.
   */
  outlive(done: Promise<void>): void {
    this.request.signal.removeEventListener('abort', this.#onGone);
    this.#inBackground = true;
    this.#lastSteps.push(done);
  }

  /** Nobody needs to wait for its answer. */
  get inBackground(): boolean {
    return this.#inBackground;
  }

  /** Work that was broken off has its last step before it, which the line in the log waits for. */
  brokenOff(settled: Promise<void>): void {
    this.#lastSteps.push(settled);
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

  /** Lets go of the request. Called once, when nothing more will be sent. */
  end(status: number): void {
    if (this.#ended) return;
    this.#ended = true;
    this.request.signal.removeEventListener('abort', this.#onGone);
    if (!this.#inBackground) this.#leave();
    if (this.#lastSteps.length === 0) this.#record(status);
    else void Promise.all(this.#lastSteps).then(() => this.#record(status));
  }

  #leave(): void {
    for (const callback of this.#whenOver) callback();
  }

  #record(status: number): void {
    if (this.#inBackground) this.#leave();
    const record: RequestRecord = {
      requestId: this.requestId,
      method: this.request.method,
      path: this.path,
      ...(this.#route !== undefined && { route: this.#route }),
      outcome: 'ok',
      ...this.#notes,
      ...this.#spent,
      ...(this.caller.owner !== '' && { key: this.caller.owner }),
      status,
      totalMs: this.sinceStart(),
    };
    this.#dependencies.telemetry.request(record);
  }
}
