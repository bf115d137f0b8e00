import type { ServeError } from '../../contract/errors.ts';
import { isJsonObject, type JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Dialect, Frame, StreamEncoder } from '../../dialects/dialect.ts';
import { openaiResponses } from '../../dialects/openai-responses/index.ts';
import type { ResponsesCall } from '../../dialects/openai-responses/request.ts';
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
    encoder: (_, answer) => new KeepingEncoder(openaiResponses.encoder(call, withItemIds(answer)), answer, keep),
  };
}

class KeepingEncoder implements StreamEncoder {
  readonly #encoder: StreamEncoder;
  readonly #answer: AnswerContext;
  readonly #keep: Keep;

  constructor(encoder: StreamEncoder, answer: AnswerContext, keep: Keep) {
    this.#encoder = encoder;
    this.#answer = answer;
    this.#keep = keep;
  }

  encode(...event: Parameters<StreamEncoder['encode']>): readonly Frame[] {
    return this.#watch(this.#encoder.encode(...event));
  }

  end(): readonly Frame[] {
    return this.#encoder.end();
  }

  /** An answer that nobody waited for is nobody's. */
  fail(error: ServeError): readonly Frame[] {
    const frames = this.#encoder.fail(error);
    return error.code === 'client_closed' ? frames : this.#watch(frames);
  }

  heartbeat(): Frame {
    return this.#encoder.heartbeat();
  }

  #watch(frames: readonly Frame[]): readonly Frame[] {
    const last = frames.at(-1);
    if (last?.type !== 'data' || !isJsonObject(last.data) || !isJsonObject(last.data.response)) return frames;
    const { response } = last.data;
    if (response.status !== 'in_progress') this.#keep(response, this.#answer);
    return frames;
  }
}
