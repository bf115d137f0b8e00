import type { Caller } from '../../contract/caller.ts';
import { ServeError } from '../../contract/errors.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ResponseStore } from '../../contract/services.ts';
import type { AnswerContext } from '../../dialects/dialect.ts';
import { openaiResponses, queuedResponse } from '../../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../../dialects/openai-responses/request.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { GenerationNotes } from '../generation-notes.ts';
import { type RunDependencies, startRuns } from '../generation-route.ts';
import { BackgroundRun } from './background-run.ts';

type Dependencies = RunDependencies & Pick<AppDependencies, 'telemetry' | 'cancel'>;

interface Owned {
  readonly run: BackgroundRun;
  readonly owner: string;
}

/** Responses that are being generated without a reader. What has ended lies in the store. */
export class BackgroundRuns {
  readonly #store: ResponseStore;
  readonly #dependencies: Dependencies;
  readonly #runs = new Map<string, Owned>();

  constructor(store: ResponseStore, dependencies: Dependencies) {
    this.#store = store;
    this.#dependencies = dependencies;
  }

  find(id: string, { sees }: Pick<Caller, 'sees'>): BackgroundRun | undefined {
    const found = this.#runs.get(id);
    return found && sees(found.owner) ? found.run : undefined;
  }

  /**
   * Starts the work and keeps a first entry, so that a restart does not leave the client without an answer. The request
   * counts as under way until the work is done.
   */
  async start(
    call: ResponsesCall,
    answer: AnswerContext,
    input: readonly JsonObject[],
    exchange: Exchange,
  ): Promise<BackgroundRun> {
    const id = openaiResponses.idPrefix + answer.id;
    const { caller } = exchange;
    const { owner } = caller;
    const queued = queuedResponse(call, answer);
    await this.#store.save({ id, owner, response: queued, input });
    const [events] = startRuns(call, exchange, this.#dependencies);
    if (events === undefined) throw new RangeError('a call without a generation');
    const notes = new GenerationNotes(exchange);
    const run = new BackgroundRun({
      events,
      encoder: openaiResponses.encoder(call, answer),
      queued,
      observe: (event) => notes.observe({ choice: 0, event }),
      failed: ({ code, message }) => exchange.note({ outcome: code, error: message }),
      end: () => (this.#dependencies.cancel?.({ answerId: id }, caller) ?? 0) > 0,
      abort: () => exchange.abort(new ServeError('client_closed', 'The response was cancelled.')),
    });
    this.#runs.set(id, { run, owner });
    exchange.outlive(run.done);
    void run.done.then(() => this.#keep(id, { run, owner }, input));
    return run;
  }

  /** Stops a run that is to be forgotten. */
  drop(id: string, caller: Pick<Caller, 'sees'>): void {
    const run = this.find(id, caller);
    if (!run) return;
    this.#runs.delete(id);
    run.stop();
  }

  async #keep(id: string, { run, owner }: Owned, input: readonly JsonObject[]): Promise<void> {
    // Deleted meanwhile.
    if (this.#runs.get(id)?.run !== run) return;
    const saved = this.#store.save({ id, owner, response: run.response, input, events: run.events });
    this.#runs.delete(id);
    try {
      await saved;
    } catch (error) {
      this.#dependencies.telemetry.log('error', 'a response could not be kept', { id, error });
    }
  }
}
