import type { ServeError } from '../contract/errors.ts';
import type { GenerationEvent } from '../contract/events.ts';
import type { JsonObject } from '../contract/json.ts';
import type { AnswerContext, Dialect, Frame, StreamEncoder } from '../dialects/dialect.ts';
import type { ResponsesEncoder } from '../dialects/openai-responses/encoder.ts';
import { openaiResponses } from '../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../dialects/openai-responses/request.ts';
import { withItemIds } from './item-ids.ts';

/** Takes a finished response before the client sees its end, so that the client's next request finds it. */
export type Keep = (response: JsonObject, answer: AnswerContext) => void;

/** The dialect for one request that was parsed already, with its answer kept. */
export function storingDialect(call: ResponsesCall, keep: Keep): Dialect<ResponsesCall> {
  return {
    ...openaiResponses,
    parse: () => call,
    whole: (_, answer, results) => {
      const response = openaiResponses.whole(call, withItemIds(answer), results);
      keep(response, answer);
      return response;
    },
    encoder: (_, answer) => {
      const encoder = openaiResponses.encoder(call, withItemIds(answer));
      return new KeepingEncoder(encoder, (response) => keep(response, answer));
    },
  };
}

class KeepingEncoder implements StreamEncoder {
  readonly #encoder: ResponsesEncoder;
  readonly #keep: (response: JsonObject) => void;

  constructor(encoder: ResponsesEncoder, keep: (response: JsonObject) => void) {
    this.#encoder = encoder;
    this.#keep = keep;
  }

  encode(event: GenerationEvent): readonly Frame[] {
    const frames = this.#encoder.encode(event);
    if (event.type === 'finish') this.#keep(this.#encoder.response);
    return frames;
  }

  end(): readonly Frame[] {
    return this.#encoder.end();
  }

  /** An answer that nobody waited for is nobody's. */
  fail(error: ServeError): readonly Frame[] {
    const frames = this.#encoder.fail(error);
    // Without frames it was over before.
    if (error.code !== 'client_closed' && frames.length > 0) this.#keep(this.#encoder.response);
    return frames;
  }

  heartbeat(): Frame {
    return this.#encoder.heartbeat();
  }
}
