import type { ChatPlace } from '../contract/chats.ts';
import type { ServeError } from '../contract/errors.ts';
import type { Block, FinishEvent, GenerationEvent, GenerationResult } from '../contract/events.ts';
import type { JsonObject, JsonValue } from '../contract/json.ts';
import type { GenerationRequest } from '../contract/request.ts';
import type { ServerToolWish, ToolSetup } from '../contract/server-tools.ts';

/** One piece of a streamed answer. The door writes it as SSE (`event:`/`data:`/comment) or as an NDJSON line. */
export type Frame =
  | { readonly type: 'data'; readonly data: JsonValue | JsonObject; readonly event?: string }
  /** Not JSON: `[DONE]`. */
  | { readonly type: 'raw'; readonly text: string }
  | { readonly type: 'comment'; readonly text: string };

/** Facts about the answer that a dialect must not make up itself. */
export interface AnswerContext {
  /** Random part of the answer's ids, e.g. `4fd1...`: the dialect puts its own prefix before it. */
  readonly id: string;
  /** Unix seconds. */
  readonly created: number;
  /** The name of the model that really answers. */
  readonly model: string;
  /** Fresh ids for output items and the like, with the prefix given: newId('fc_') */
  readonly newId: (prefix: string) => string;
}

/** A parsed request: one GenerationRequest per choice (n, or prompts times n), in choice order. */
export interface ParsedCall {
  readonly generations: readonly GenerationRequest[];
  readonly stream: boolean;
  /** Told to the client in the header x-serve-model-warning: things accepted but not acted on. */
  readonly warnings: readonly string[];
  /** The answer is kept there when it is over, whether or not somebody reads it. Only of a call with one generation. */
  readonly chat?: ChatPlace;
  /**
   * What the request wants of the tools that the server runs; `off`: none, whatever the server's default is. Where the
   * server has none (no `setup`), the fields for them are unknown ones. Throws ServeError for what is wrong then.
   */
  readonly serverTools?: (setup: ToolSetup | undefined) => ServerToolWish | 'off' | undefined;
  /** Its form has no words for tools: nobody has said that there are to be none, and the server's default counts. */
  readonly withoutWordsForTools?: boolean;
  /** Of a call without generations: the name of the model that it is about. */
  readonly model?: string;
}

/** Events of one answer -> frames. Stateful but pure: no clock, no I/O, no randomness but newId. */
export interface StreamEncoder {
  /** `choice` is the index into ParsedCall.generations. Each choice's events follow the event grammar. */
  encode(event: GenerationEvent, choice: number): readonly Frame[];
  /** After every choice has finished: usage, terminator. */
  end(): readonly Frame[];
  /** An error after the first byte: the dialect's error frame and whatever its clients expect after it. */
  fail(error: ServeError): readonly Frame[];
  heartbeat(): Frame;
}

/** What `stream: false` is answered with: one object, in llama.cpp's form also a list. */
export type WholeAnswer = JsonObject | JsonObject[];

/** An answer that is over, perhaps by a failure. */
export interface EndedAnswer {
  readonly blocks: readonly Block[];
  readonly finish?: FinishEvent;
  readonly error?: ServeError;
}

export interface ErrorBody {
  readonly body: JsonObject;
  /** The dialect's own status where it differs from the door's table (Anthropic: 529). */
  readonly status?: number;
}

/** Wire JSON <-> contract. Everything pure; errors are thrown as ServeError. */
export interface Dialect<Call extends ParsedCall = ParsedCall, Whole extends WholeAnswer = JsonObject> {
  readonly name: string;
  readonly format: 'sse' | 'ndjson';
  /** Ids of answers: prefix before AnswerContext.id, as the cancel registry and the headers know the answer. */
  readonly idPrefix: string;
  /** A further name of the header that tells a request's id, by which its clients read it. */
  readonly requestIdHeader?: string;
  /**
   * It shows calls that the server runs: all, or those of requests that asked for such tools. Others are taken out of the
   * events before it sees them.
   */
  readonly showsServerTools?: 'always' | 'asked';
  /** Where the server runs tools (`withTools`), what only then has a meaning is read too. */
  parse(body: unknown, withTools?: boolean): Call;
  /** The whole answer, `stream: false`. Results in choice order. */
  whole(call: Call, answer: AnswerContext, results: readonly GenerationResult[]): Whole;
  encoder(call: Call, answer: AnswerContext): StreamEncoder;
  /** The answer as a message of a chat that is kept; the next one where that is too large. Absent: none is kept. */
  messages?(call: Call, answer: AnswerContext, ended: EndedAnswer): readonly JsonObject[];
  error(error: ServeError): ErrorBody;
}
