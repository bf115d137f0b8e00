import type { Caller } from '../contract/caller.ts';
import { ServeError } from '../contract/errors.ts';
import { cancelledEnding, emptyFinish, type GenerationEvent } from '../contract/events.ts';
import { isJsonObject, type JsonObject } from '../contract/json.ts';
import type { ResponseStore, Telemetry } from '../contract/services.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialects/dialect.ts';
import type { ResponsesEncoder } from '../dialects/openai-responses/encoder.ts';
import { openaiResponses } from '../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../dialects/openai-responses/request.ts';

/** An answer that goes on without a reader, as far as it is known here; the door has begun it. */
export interface UnreadRun {
  /** See Caller. */
  readonly facts: { readonly owner: string };
  /** Settles when the last frame is there; never rejects. */
  readonly done: Promise<void>;
  /** The number of the oldest frame that is still there. */
  readonly first: number;
  /** Frames as they are written, from this number on. */
  from(number: number): readonly { readonly text: string }[];
}

export interface BackgroundWork<Run extends UnreadRun> {
  readonly call: ResponsesCall;
  readonly answer: AnswerContext;
  /** As it is kept, see `keptInput`. */
  readonly input: readonly JsonObject[];
  readonly owner: string;
  /** `isStopped`: the failure that comes is a cancel. */
  begin(encoder: StreamEncoder, isStopped: () => boolean): Run;
  /** Ends it properly; false where there is nothing yet that could be ended so. */
  cancel(): boolean;
  breakOff(reason: ServeError): void;
}

/** A response that is being generated without a reader. */
class BackgroundRun<Run extends UnreadRun> {
  readonly run: Run;
  readonly #encoder: BackgroundEncoder;
  readonly #work: Pick<BackgroundWork<Run>, 'cancel' | 'breakOff'>;

  constructor(work: BackgroundWork<Run>, encoder: BackgroundEncoder) {
    this.run = work.begin(encoder, () => encoder.stopped);
    this.#work = work;
    this.#encoder = encoder;
  }

  /** As far as it has come, with the items that are complete. */
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
    if (this.#work.cancel()) return;
    this.#encoder.stop();
    this.#work.breakOff(new ServeError('cancelled', 'The response was cancelled.'));
  }
}

/** Responses that are being generated without a reader. What has ended lies in the store. */
export class BackgroundRuns<Run extends UnreadRun> {
  readonly #store: ResponseStore;
  readonly #log: Telemetry['log'];
  readonly #runs = new Map<string, BackgroundRun<Run>>();

  constructor(store: ResponseStore, log: Telemetry['log']) {
    this.#store = store;
    this.#log = log;
  }

  find(id: string, { sees }: Pick<Caller, 'sees'>): BackgroundRun<Run> | undefined {
    const found = this.#runs.get(id);
    return found && sees(found.run.facts.owner) ? found : undefined;
  }

  /** Starts the work and keeps a first entry, so that a restart does not leave the client without an answer. */
  async start(work: BackgroundWork<Run>): Promise<BackgroundRun<Run>> {
    const { call, answer, input, owner } = work;
    const id = openaiResponses.idPrefix + answer.id;
    const encoder = new BackgroundEncoder(openaiResponses.encoder(call, answer));
    await this.#store.save({ id, owner, response: encoder.response, input });
    const background = new BackgroundRun(work, encoder);
    this.#runs.set(id, background);
    void background.run.done.then(() => this.#keep(id, background, input));
    return background;
  }

  /** Stops a run that is to be forgotten. */
  drop(id: string, caller: Pick<Caller, 'sees'>): Run | undefined {
    const background = this.find(id, caller);
    if (!background) return undefined;
    this.#runs.delete(id);
    background.stop();
    return background.run;
  }

  async #keep(id: string, background: BackgroundRun<Run>, input: readonly JsonObject[]): Promise<void> {
    // Deleted meanwhile.
    if (this.#runs.get(id) !== background) return;
    const { response, events, run } = background;
    const { owner } = run.facts;
    const saved = this.#store.save({ id, owner, response, input, ...(events && { events }) });
    this.#runs.delete(id);
    try {
      await saved;
    } catch (error) {
      this.#log('error', 'a response could not be kept', { id, error });
    }
  }
}

/** A run that is broken off ends as one that the conductor ends early. */
class BackgroundEncoder implements StreamEncoder {
  readonly #encoder: ResponsesEncoder;
  #inputTokens: number | undefined;
  #stopped = false;

  constructor(encoder: ResponsesEncoder) {
    this.#encoder = encoder;
  }

  get response(): JsonObject {
    return this.#encoder.response;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The failure that comes is a cancel. */
  stop(): void {
    this.#stopped = true;
  }

  encode(event: GenerationEvent): readonly Frame[] {
    if (event.type === 'start') this.#inputTokens = event.inputTokens;
    return this.#encoder.encode(event);
  }

  end(): readonly Frame[] {
    return this.#encoder.end();
  }

  fail(error: ServeError): readonly Frame[] {
    return this.#stopped ? this.#cancelled() : this.#encoder.fail(error);
  }

  heartbeat(): Frame {
    return this.#encoder.heartbeat();
  }

  #cancelled(): readonly Frame[] {
    const inputTokens = this.#inputTokens ?? 0;
    const begin = this.#inputTokens === undefined ? this.encode({ type: 'start', inputTokens, cachedTokens: 0 }) : [];
    return [...begin, ...this.encode(emptyFinish(cancelledEnding, inputTokens))];
  }
}
