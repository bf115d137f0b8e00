import { type RequestOptions, request as requestOverHttp } from 'node:http';
import { request as requestOverHttps } from 'node:https';
import { z } from 'zod';
import type { Clock } from '../contract/services.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

/** A server with OpenAI's API. */
export interface ChatTarget {
  /** Without a slash at its end, and without `/v1`. */
  readonly url: string;
  readonly key?: string | undefined;
  /** Undefined: the server's own choice. */
  readonly model?: string | undefined;
}

export interface ChatOptions {
  readonly messages: readonly ChatMessage[];
  /** Exactly so many are generated where the server can ignore the end of the turn. */
  readonly maxTokens: number;
  /** Nothing else is generated. */
  readonly onlyToken?: number | undefined;
  /** False for servers that refuse `ignore_eos`; their answers may be shorter. */
  readonly ignoreEnd?: boolean | undefined;
}

/** Times are milliseconds of the clock. */
export interface ChatResult {
  readonly sentAt: number;
  /** When each piece of text came, thoughts too, the first token's first. */
  readonly pieceTimes: readonly number[];
  /** Of the answer, without thoughts. */
  readonly text: string;
  readonly promptTokens: number;
  readonly cachedTokens: number;
  readonly completionTokens: number;
}

export interface RunningChat {
  readonly sentAt: number;
  /** Grows while the answer comes. */
  readonly pieceTimes: readonly number[];
  /** Settles once so many pieces of text have come. */
  pieces(count: number): Promise<void>;
  readonly done: Promise<ChatResult>;
  /** Closes the connection; `done` then settles with what there was. */
  abort(): void;
}

/** A server that said no, or broke off. */
export class ChatFailure extends Error {
  /** 0 where it said nothing. */
  readonly status: number;

  constructor(status: number, words: string) {
    super(status === 0 || status === 200 ? words : `status ${status}: ${words}`);
    this.status = status;
  }
}

const usage = z.object({
  prompt_tokens: z.number(),
  completion_tokens: z.number(),
  prompt_tokens_details: z.object({ cached_tokens: z.number().nullish() }).nullish(),
});

const chunk = z.object({
  choices: z
    .array(
      z.object({
        delta: z
          .object({
            content: z.string().nullish(),
            reasoning_content: z.string().nullish(),
            reasoning: z.string().nullish(),
          })
          .nullish(),
      }),
    )
    .nullish(),
  usage: usage.nullish(),
  error: z.object({ message: z.string() }).nullish(),
});

/** Sends a streamed chat completion, greedy, over a connection of its own, and notes when each piece of text comes. */
export function startChat(target: ChatTarget, options: ChatOptions, clock: Clock): RunningChat {
  const reader = new AnswerReader(clock);
  const { key, url } = target;
  const send = url.startsWith('https:') ? requestOverHttps : requestOverHttp;
  const how: RequestOptions = {
    method: 'POST',
    agent: false,
    headers: { 'content-type': 'application/json', ...(key !== undefined && { authorization: `Bearer ${key}` }) },
  };
  const call = send(`${url}/v1/chat/completions`, how);
  let aborted = false;
  const done = new Promise<ChatResult>((resolve, reject) => {
    const finish = (): void => (reader.finished || aborted ? resolve(reader.result()) : reject(reader.failure()));
    call.on('error', (error) => (aborted ? resolve(reader.result()) : reject(new ChatFailure(0, error.message))));
    call.on('response', (response) => {
      reader.status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => reader.push(text));
      response.on('error', finish);
      response.on('close', finish);
    });
  });
  // Who aborts never looks at the outcome.
  done.catch(() => undefined);
  call.end(JSON.stringify(bodyOf(target, options)));
  return {
    sentAt: reader.sentAt,
    pieceTimes: reader.pieceTimes,
    pieces: (count) => Promise.race([reader.pieces(count), done.then(tooShort)]),
    done,
    abort: () => {
      aborted = true;
      call.destroy();
    },
  };
}

function bodyOf({ model }: ChatTarget, { messages, maxTokens, onlyToken, ignoreEnd = true }: ChatOptions): object {
  return {
    ...(model !== undefined && { model }),
    messages,
    max_tokens: maxTokens,
    temperature: 0,
    ...(ignoreEnd && { ignore_eos: true }),
    ...(onlyToken !== undefined && { logit_bias: { [onlyToken]: 100 } }),
    stream: true,
    stream_options: { include_usage: true },
  };
}

function tooShort({ pieceTimes }: ChatResult): never {
  throw new Error(`the answer ended after ${pieceTimes.length} pieces`);
}

class AnswerReader {
  readonly sentAt: number;
  readonly pieceTimes: number[] = [];
  status = 0;
  finished = false;
  readonly #clock: Clock;
  #pending = '';
  #text = '';
  #usage: z.output<typeof usage> | undefined;
  #error = '';
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
    this.sentAt = clock();
  }

  push(text: string): void {
    if (this.status !== 200) this.#error += text;
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    // The blank behind the colon may be left out.
    for (const line of lines) if (line.startsWith('data:')) this.#read(line.slice(5).trim());
  }

  pieces(count: number): Promise<void> {
    if (this.pieceTimes.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  failure(): ChatFailure {
    return new ChatFailure(this.status, this.#error || 'the answer ended early');
  }

  result(): ChatResult {
    return {
      sentAt: this.sentAt,
      pieceTimes: this.pieceTimes,
      text: this.#text,
      promptTokens: this.#usage?.prompt_tokens ?? 0,
      cachedTokens: this.#usage?.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: this.#usage?.completion_tokens ?? this.pieceTimes.length,
    };
  }

  #read(data: string): void {
    if (data === '[DONE]') {
      this.finished = this.#error === '';
      return;
    }
    const { success, data: frame } = chunk.safeParse(parsed(data));
    if (!success) return;
    if (frame.error) this.#error = frame.error.message;
    if (frame.usage) this.#usage = frame.usage;
    const delta = frame.choices?.[0]?.delta;
    if (!delta) return;
    const { content, reasoning_content, reasoning } = delta;
    if (!content && !reasoning_content && !reasoning) return;
    this.#text += content ?? '';
    this.pieceTimes.push(this.#clock());
    for (const { count, resolve } of this.#waiting) if (this.pieceTimes.length >= count) resolve();
  }
}

/** undefined where it is no JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
