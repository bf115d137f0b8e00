import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { ResponseStore } from '../../contract/services.ts';
import type { AnswerContext } from '../../dialects/dialect.ts';
import { openaiResponses, queuedResponse } from '../../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../../dialects/openai-responses/request.ts';
import type { Exchange } from '../exchange.ts';
import { type AnswerDependencies, runOf } from '../generation-route.ts';
import type { KeptRun } from '../runs/kept-run.ts';
import { BackgroundEncoder } from './background-encoder.ts';

/** A response that is being generated without a reader. */
export class BackgroundRun {
  readonly run: KeptRun;
  readonly #encoder: BackgroundEncoder;
  readonly #break: () => void;

  /** `breakOff` ends the work although there is nothing yet that could be ended properly. */
  constructor(run: KeptRun, encoder: BackgroundEncoder, breakOff: () => void) {
    this.run = run;
    this.#encoder = encoder;
    this.#break = breakOff;
  }

  get response(): JsonObject {
    return this.#encoder.response;
  }

  /** Every event so far; undefined where they were too many to keep all of them. */
  get events(): JsonObject[] | undefined {
    if (this.run.first > 0) return undefined;
    return this.run.from(0).flatMap(({ text }) => {
      const event: unknown = JSON.parse(text);
      return isJsonObject(event) ? [event] : [];
    });
  }

  stop(): void {
    this.#break();
  }
}

/** Responses that are being generated without a reader. What has ended lies in the store. */
export class BackgroundRuns {
  readonly #store: ResponseStore;
  readonly #dependencies: AnswerDependencies;
  readonly #runs = new Map<string, BackgroundRun>();

  constructor(store: ResponseStore, dependencies: AnswerDependencies) {
    this.#store = store;
    this.#dependencies = dependencies;
  }

  find(id: string, { sees }: Pick<Caller, 'sees'>): BackgroundRun | undefined {
    const found = this.#runs.get(id);
    return found && sees(found.run.facts.owner) ? found : undefined;
  }

  /** Starts the work and keeps a first entry, so that a restart does not leave the client without an answer. */
  async start(
    call: ResponsesCall,
    answer: AnswerContext,
    input: readonly JsonObject[],
    exchange: Exchange,
  ): Promise<BackgroundRun> {
    const id = openaiResponses.idPrefix + answer.id;
    const { caller } = exchange;
    const queued = queuedResponse(call, answer);
    await this.#store.save({ id, owner: caller.owner, response: queued, input });
    const encoder = new BackgroundEncoder(openaiResponses.encoder(call, answer), queued);
    const run = runOf({ dialect: openaiResponses, call, answer, exchange }, this.#dependencies, {
      encoder: () => encoder,
      isStopped: () => encoder.stopped,
    });
    const background = new BackgroundRun(run, encoder, () => {
      if ((this.#dependencies.cancel?.({ answerId: id }, caller) ?? 0) > 0) return;
      encoder.stop();
      exchange.abort(new ServeError('cancelled', 'The response was cancelled.'));
    });
    this.#runs.set(id, background);
    void run.done.then(() => this.#keep(id, background, input));
    return background;
  }

  /** Stops a run that is to be forgotten. */
  drop(id: string, caller: Pick<Caller, 'sees'>): void {
    const background = this.find(id, caller);
    if (!background) return;
    this.#runs.delete(id);
    this.#dependencies.runs.forget(background.run);
    background.stop();
  }

  async #keep(id: string, background: BackgroundRun, input: readonly JsonObject[]): Promise<void> {
    // Deleted meanwhile.
    if (this.#runs.get(id) !== background) return;
    const { response, events, run } = background;
    const { owner } = run.facts;
    const saved = this.#store.save({ id, owner, response, input, ...(events && { events }) });
    this.#runs.delete(id);
    try {
      await saved;
    } catch (error) {
      this.#dependencies.telemetry.log('error', 'a response could not be kept', { id, error });
    }
  }
}
