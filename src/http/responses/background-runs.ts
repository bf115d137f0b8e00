import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ResponseStore } from '../../contract/services.ts';
import type { AnswerContext } from '../../dialects/dialect.ts';
import { openaiResponses, queuedResponse } from '../../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../../dialects/openai-responses/request.ts';
import type { AppDependencies } from '../dependencies.ts';
import { BackgroundRun } from './background-run.ts';

type Dependencies = Pick<AppDependencies, 'generation' | 'telemetry' | 'cancel'>;

/** Responses that are being generated without a reader. What has ended lies in the store. */
export class BackgroundRuns {
  readonly #store: ResponseStore;
  readonly #dependencies: Dependencies;
  readonly #runs = new Map<string, BackgroundRun>();

  constructor(store: ResponseStore, dependencies: Dependencies) {
    this.#store = store;
    this.#dependencies = dependencies;
  }

  find(id: string): BackgroundRun | undefined {
    return this.#runs.get(id);
  }

  /** Starts the work and keeps a first entry, so that a restart does not leave the client without an answer. */
  async start(call: ResponsesCall, answer: AnswerContext, input: readonly JsonObject[]): Promise<BackgroundRun> {
    const id = openaiResponses.idPrefix + answer.id;
    const [request] = call.generations;
    if (request === undefined) throw new RangeError('a call without a generation');
    const controller = new AbortController();
    const queued = queuedResponse(call, answer);
    await this.#store.save({ id, response: queued, input });
    const run = new BackgroundRun({
      events: this.#dependencies.generation.generate(request, controller.signal),
      encoder: openaiResponses.encoder(call, answer),
      queued,
      end: () => (this.#dependencies.cancel?.({ answerId: id }) ?? 0) > 0,
      abort: () => controller.abort(new ServeError('client_closed', 'The response was cancelled.')),
    });
    this.#runs.set(id, run);
    void run.done.then(() => this.#keep(id, run, input));
    return run;
  }

  /** Stops a run that is to be forgotten. */
  drop(id: string): void {
    const run = this.#runs.get(id);
    this.#runs.delete(id);
    run?.stop();
  }

  async #keep(id: string, run: BackgroundRun, input: readonly JsonObject[]): Promise<void> {
    // Deleted meanwhile.
    if (this.#runs.get(id) !== run) return;
    const saved = this.#store.save({ id, response: run.response, input, events: run.events });
    this.#runs.delete(id);
    try {
      await saved;
    } catch (error) {
      this.#dependencies.telemetry.log('error', 'a response could not be kept', { id, error });
    }
  }
}
