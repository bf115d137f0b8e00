import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Directive, EngineJob, EngineRun, GeneratedToken, RunResult } from '../engine.ts';
import { fromWire, type RunEnd, type ToChild } from './protocol.ts';

/** The parent's side of a run: hands the tokens to the request and collects what it says to them. */
export class ProcessRun implements EngineRun {
  readonly id: number;
  readonly job: EngineJob;
  cachedTokens: number;
  readonly done: Promise<RunResult>;
  readonly #send: (message: ToChild) => void;
  readonly #settle: Deferred<RunResult> = createDeferred();
  #stopped = false;
  #failure: ServeError | undefined;

  constructor(id: number, job: EngineJob, cachedTokens: number, send: (message: ToChild) => void) {
    this.id = id;
    this.job = job;
    this.cachedTokens = cachedTokens;
    this.done = this.#settle.promise;
    this.#send = send;
  }

  start(): void {
    const { signal, onToken: _, onPromptLogprobs: __, prompt, ...job } = this.job;
    this.#send({
      type: 'run',
      run: this.id,
      job: { ...job, prompt: Uint32Array.from(prompt), reuse: this.cachedTokens },
    });
    const abort = () => this.#send({ type: 'abort', run: this.id });
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    const forget = () => signal.removeEventListener('abort', abort);
    this.done.then(forget, forget);
  }

  pause(): void {
    this.#send({ type: 'pause', run: this.id });
  }

  resume(): void {
    this.#send({ type: 'resume', run: this.id });
  }

  /** What the request says to these tokens, without `continue`. After a stop or an abort it hears of no more. */
  give(tokens: readonly GeneratedToken[]): Directive[] {
    const directives: Directive[] = [];
    for (const token of tokens) {
      if (this.#stopped || this.job.signal.aborted) break;
      const directive = this.#ask(token);
      if (directive.type !== 'continue') directives.push(directive);
      this.#stopped = directive.type === 'stop';
    }
    return directives;
  }

  end(end: RunEnd): void {
    if (this.job.signal.aborted) this.fail(this.job.signal.reason);
    else if (this.#failure) this.fail(this.#failure);
    else if ('error' in end) this.fail(asFailure(fromWire(end.error)));
    // The child ends a run at its last token without waiting for what the request says to it.
    else this.#settle.resolve(this.#stopped ? { ...end.result, reason: 'stopped' } : end.result);
  }

  fail(reason: unknown): void {
    this.#settle.reject(reason);
  }

  #ask(token: GeneratedToken): Directive {
    try {
      return this.job.onToken(token);
    } catch (error) {
      // One request's text work must never take its neighbours down.
      this.#failure = asFailure(error);
      return { type: 'stop' };
    }
  }
}

function asFailure(error: unknown): ServeError {
  if (error instanceof ServeError) return error;
  return new ServeError('engine_failure', 'The model failed on this request.', {}, { cause: error });
}
