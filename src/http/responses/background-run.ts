import { ServeError, toServeError } from '../../contract/errors.ts';
import type { FinishEvent, GenerationEvent } from '../../contract/events.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Frame, StreamEncoder } from '../../dialects/dialect.ts';

export interface BackgroundRunOptions {
  readonly events: AsyncIterable<GenerationEvent>;
  readonly encoder: StreamEncoder;
  /** The response object before anything has happened. */
  readonly queued: JsonObject;
  observe(event: GenerationEvent): void;
  failed(error: ServeError): void;
  /** Asks for an early but proper end: false when there is nothing that could be asked yet. */
  end(): boolean;
  /** Breaks the work off. */
  abort(): void;
}

/** A response that is generated whether or not somebody reads it. Its events are kept for readers who come later. */
export class BackgroundRun {
  /** Settles when the terminal event is there. Never rejects: a failure is an event. */
  readonly done: Promise<void>;
  /** Every event so far; its place in the list is its sequence number. */
  readonly events: JsonObject[] = [];
  readonly #options: BackgroundRunOptions;
  readonly #output: JsonObject[] = [];
  #response: JsonObject;
  #inputTokens: number | undefined;
  #stopped = false;
  #over = false;
  #waiting: (() => void)[] = [];

  constructor(options: BackgroundRunOptions) {
    this.#options = options;
    this.#response = options.queued;
    this.done = this.#run();
  }

  get over(): boolean {
    return this.#over;
  }

  /** The response object as far as it has come: while it runs, with the items that are complete. */
  get response(): JsonObject {
    return this.#over ? this.#response : { ...this.#response, output: [...this.#output] };
  }

  /** Ends the run with what there is, as cancelled. */
  stop(): void {
    if (this.#options.end()) return;
    this.#stopped = true;
    this.#options.abort();
  }

  /** Settles when there are more events than `seen`, or no more will come. */
  async changed(seen: number): Promise<void> {
    while (!this.#over && this.events.length <= seen)
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
  }

  async #run(): Promise<void> {
    const { events, encoder, observe, failed } = this.#options;
    try {
      let last: GenerationEvent | undefined;
      for await (const event of events) {
        last = event;
        observe(event);
        if (event.type === 'start') this.#inputTokens = event.inputTokens;
        this.#add(encoder.encode(event, 0));
      }
      if (last?.type !== 'finish') throw new ServeError('internal', 'The generation ended without its finish event.');
    } catch (thrown) {
      const error = toServeError(thrown);
      if (!this.#stopped) failed(error);
      this.#add(this.#stopped ? this.#cancelled() : encoder.fail(error));
    }
    this.#over = true;
    this.#wake();
  }

  /** What the conductor sends when it ends a run early, for a run that it had to break off. */
  #cancelled(): readonly Frame[] {
    const { encoder, observe } = this.#options;
    const inputTokens = this.#inputTokens ?? 0;
    const begin =
      this.#inputTokens === undefined ? encoder.encode({ type: 'start', inputTokens, cachedTokens: 0 }, 0) : [];
    const finish: FinishEvent = {
      type: 'finish',
      reason: 'stop',
      cancelled: true,
      usage: { inputTokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
      timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
      seed: 0,
    };
    observe(finish);
    return [...begin, ...encoder.encode(finish, 0)];
  }

  #add(frames: readonly Frame[]): void {
    for (const frame of frames) {
      if (frame.type !== 'data' || !isJsonObject(frame.data)) continue;
      const { response, item } = frame.data;
      this.events.push(frame.data);
      if (isJsonObject(response)) this.#response = response;
      if (frame.data.type === 'response.output_item.done' && isJsonObject(item)) this.#output.push(item);
    }
    if (frames.length > 0) this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
