import type { ServeError } from '../../contract/errors.ts';
import type { FinishEvent, GenerationEvent } from '../../contract/events.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { Frame, StreamEncoder } from '../../dialects/dialect.ts';

/** Remembers the response object of a stream as far as it has come, and its events, for those who ask without a stream. */
export class BackgroundEncoder implements StreamEncoder {
  readonly #encoder: StreamEncoder;
  readonly #output = new Map<unknown, JsonObject>();
  #response: JsonObject;
  #inputTokens: number | undefined;
  #stopped = false;
  #over = false;

  /** `queued` is the response object before anything has happened. */
  constructor(encoder: StreamEncoder, queued: JsonObject) {
    this.#encoder = encoder;
    this.#response = queued;
  }

  /** While the run goes on, with the items that are complete. */
  get response(): JsonObject {
    return this.#over ? this.#response : { ...this.#response, output: this.#complete() };
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  /** The failure that comes is a cancel. */
  stop(): void {
    this.#stopped = true;
  }

  encode(event: GenerationEvent, choice: number): readonly Frame[] {
    if (event.type === 'start') this.#inputTokens = event.inputTokens;
    if (event.type === 'finish') this.#over = true;
    return this.#watch(this.#encoder.encode(event, choice));
  }

  end(): readonly Frame[] {
    return this.#encoder.end();
  }

  fail(error: ServeError): readonly Frame[] {
    if (this.#stopped) return this.#cancelled();
    this.#over = true;
    return this.#watch(this.#encoder.fail(error));
  }

  heartbeat(): Frame {
    return this.#encoder.heartbeat();
  }

  /** What the conductor sends when it ends a run early, for a run that had to be broken off. */
  #cancelled(): readonly Frame[] {
    const inputTokens = this.#inputTokens ?? 0;
    const begin =
      this.#inputTokens === undefined ? this.encode({ type: 'start', inputTokens, cachedTokens: 0 }, 0) : [];
    const finish: FinishEvent = {
      type: 'finish',
      reason: 'stop',
      cancelled: true,
      usage: { inputTokens, cachedTokens: 0, outputTokens: 0, reasoningTokens: 0 },
      timings: { queueMs: 0, promptMs: 0, predictedMs: 0 },
      seed: 0,
    };
    return [...begin, ...this.encode(finish, 0)];
  }

  /** Calls that the server runs end in any order. */
  #complete(): JsonObject[] {
    return [...this.#output].sort(([one], [other]) => Number(one) - Number(other)).map(([, item]) => item);
  }

  #watch(frames: readonly Frame[]): readonly Frame[] {
    for (const frame of frames) {
      if (frame.type !== 'data' || !isJsonObject(frame.data)) continue;
      const { response, item, output_index: index } = frame.data;
      if (isJsonObject(response)) this.#response = response;
      if (frame.data.type === 'response.output_item.done' && isJsonObject(item)) this.#output.set(index, item);
    }
    return frames;
  }
}
