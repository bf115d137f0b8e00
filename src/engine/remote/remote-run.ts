import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import { checkDirective, checkTokens } from '../check-job.ts';
import type { Directive, EngineInfo, EngineJob, EngineRun, GeneratedToken, RunResult } from '../engine.ts';
import { fromWire, type RunEnd, type ToLoop } from './protocol.ts';

export interface RemoteRunTools {
  /** Of its slot's, that it goes on from. */
  readonly cachedTokens: number;
  readonly info: EngineInfo;
  readonly send: (message: ToLoop) => void;
}

/** The server's side of a run: hands the tokens to the request and collects what it says to them. */
export class RemoteRun implements EngineRun {
  readonly id: number;
  readonly job: EngineJob;
  cachedTokens: number;
  readonly done: Promise<RunResult>;
  readonly #info: EngineInfo;
  readonly #send: (message: ToLoop) => void;
  readonly #settle: Deferred<RunResult> = createDeferred();
  #stopped = false;
  /** That counted: the loop may be ahead by some when it hears of a stop. */
  #given = 0;
  #paused = false;
  /** Tokens that came during a pause, and what was said before it to others of their step. */
  readonly #waiting: { readonly step: number; readonly tokens: GeneratedToken[]; readonly said: Directive[] }[] = [];
  #deferredEnd: (() => void) | undefined;
  #failure: ServeError | undefined;

  constructor(id: number, job: EngineJob, { cachedTokens, info, send }: RemoteRunTools) {
    this.id = id;
    this.job = job;
    this.cachedTokens = cachedTokens;
    this.done = this.#settle.promise;
    this.#info = info;
    this.#send = send;
  }

  /** `left`: called when the request has left. */
  start(left: () => void): void {
    const { signal, onToken: _, onPromptLogprobs: __, prompt, ...job } = this.job;
    this.#send({
      type: 'run',
      run: this.id,
      job: { ...job, prompt: Int32Array.from(prompt), reuse: this.cachedTokens },
    });
    const abort = () => {
      this.#waiting.length = 0;
      this.#send({ type: 'abort', run: this.id });
      left();
      this.#deferredEnd?.();
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    const forget = () => signal.removeEventListener('abort', abort);
    this.done.then(forget, forget);
  }

  pause(): void {
    this.#paused = true;
    this.#send({ type: 'pause', run: this.id });
  }

  /** What came meanwhile is given first: the loop was some tokens ahead. */
  resume(): void {
    this.#paused = false;
    this.#send({ type: 'resume', run: this.id });
    this.#giveWaiting();
  }

  #giveWaiting(): void {
    while (!this.#paused) {
      const next = this.#waiting.shift();
      if (!next) break;
      const said = { run: this.id, directives: [...next.said, ...this.#give(next.tokens)] };
      this.#send({ type: 'late-directives', step: next.step, said });
    }
    if (this.#waiting.length > 0) return;
    const end = this.#deferredEnd;
    this.#deferredEnd = undefined;
    end?.();
  }

  /**
   * What the request says to the tokens of a step, without `continue`; undefined: it is paused and says so later. After a
   * stop or an abort it hears of no more.
   */
  give(step: number, tokens: readonly GeneratedToken[]): readonly Directive[] | undefined {
    if (!this.#paused || this.#stopped || this.job.signal.aborted) return this.#give(tokens);
    const last = this.#waiting.at(-1);
    if (last?.step === step) last.tokens.push(...tokens);
    else this.#waiting.push({ step, tokens: [...tokens], said: [] });
    return undefined;
  }

  /** What it said to the step before it was paused in the middle of it: the loop hears all of that at once. */
  keep(step: number, said: readonly Directive[]): void {
    this.#waiting.find((each) => each.step === step)?.said.push(...said);
  }

  /** Calls back when its tokens are given, at once where none waits. */
  afterTokens(end: () => void): void {
    if (this.#waiting.length === 0 || this.job.signal.aborted) end();
    else this.#deferredEnd = end;
  }

  #give(tokens: readonly GeneratedToken[]): Directive[] {
    const directives: Directive[] = [];
    for (const token of tokens) {
      if (this.#stopped || this.job.signal.aborted) break;
      this.#given++;
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
    // The loop ends a run at its last token without waiting for what the request says to it.
    else if (this.#stopped) this.#settle.resolve({ ...end.result, reason: 'stopped', outputTokens: this.#given });
    else this.#settle.resolve(end.result);
  }

  fail(reason: unknown): void {
    this.#settle.reject(reason);
  }

  #ask(token: GeneratedToken): Directive {
    try {
      const directive = this.job.onToken(token);
      checkDirective(this.job, directive);
      if (directive.type === 'force') checkTokens(directive.tokens, this.#info);
      return directive;
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
