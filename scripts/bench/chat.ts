import { request } from 'node:http';
import { withDeadline } from './deadline.ts';

export interface ChatMessage {
  readonly role: 'system' | 'user' | 'assistant';
  readonly content: string;
}

export interface ChatOptions {
  readonly messages: readonly ChatMessage[];
  /** Exactly so many are generated: the end of the turn is ignored. */
  readonly maxTokens: number;
  /** Nothing else is generated. */
  readonly onlyToken?: number;
}

/** Times are milliseconds of performance.now(). */
export interface ChatResult {
  readonly sentAt: number;
  /** When each piece of text came, the first token's first. */
  readonly pieceTimes: readonly number[];
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

const deadline = 300_000;

interface Chunk {
  readonly choices?: readonly { readonly delta?: { readonly content?: string | null } }[];
  readonly usage?: {
    readonly prompt_tokens: number;
    readonly completion_tokens: number;
    readonly prompt_tokens_details?: { readonly cached_tokens?: number };
  } | null;
  readonly error?: { readonly message: string };
}

/** Sends a streamed chat completion, greedy, to a server on this machine. */
export function startChat(port: number, { messages, maxTokens, onlyToken }: ChatOptions): RunningChat {
  const reader = new AnswerReader();
  const body = JSON.stringify({
    messages,
    max_tokens: maxTokens,
    temperature: 0,
    ignore_eos: true,
    ...(onlyToken !== undefined && { logit_bias: { [onlyToken]: 100 } }),
    stream: true,
    stream_options: { include_usage: true },
  });
  const call = request({ host: '127.0.0.1', port, path: '/v1/chat/completions', method: 'POST', agent: false });
  call.setHeader('content-type', 'application/json');
  let aborted = false;
  const done = new Promise<ChatResult>((resolve, reject) => {
    const finish = (): void => (reader.finished || aborted ? resolve(reader.result()) : reject(reader.failure()));
    call.on('error', (error) => (aborted ? resolve(reader.result()) : reject(error)));
    call.on('response', (response) => {
      reader.status = response.statusCode ?? 0;
      response.setEncoding('utf8');
      response.on('data', (text: string) => reader.push(text));
      response.on('error', finish);
      response.on('close', finish);
    });
  });
  const settled = withDeadline(done, deadline, 'the whole answer');
  // Scenarios that abort never look at the outcome.
  settled.catch(() => undefined);
  call.end(body);
  return {
    sentAt: reader.sentAt,
    pieceTimes: reader.pieceTimes,
    pieces: (count) =>
      withDeadline(Promise.race([reader.pieces(count), done.then(tooShort)]), deadline, `piece ${count}`),
    done: settled,
    abort: () => {
      aborted = true;
      call.destroy();
    },
  };
}

function tooShort({ pieceTimes }: ChatResult): never {
  throw new Error(`the answer ended after ${pieceTimes.length} pieces`);
}

/** Sends a chat and waits for the whole answer, which must have all tokens that were asked for. */
export async function chat(port: number, options: ChatOptions): Promise<ChatResult> {
  const result = await startChat(port, options).done;
  if (result.completionTokens !== options.maxTokens)
    throw new Error(`${result.completionTokens} tokens came, ${options.maxTokens} were asked for`);
  return result;
}

export const firstTokenMs = (result: Pick<ChatResult, 'sentAt' | 'pieceTimes'>): number =>
  (result.pieceTimes[0] ?? Number.NaN) - result.sentAt;

class AnswerReader {
  readonly sentAt = performance.now();
  readonly pieceTimes: number[] = [];
  status = 0;
  finished = false;
  #pending = '';
  #text = '';
  #usage: Chunk['usage'];
  #error = '';
  readonly #waiting: { count: number; resolve: () => void }[] = [];

  push(text: string): void {
    if (this.status !== 200) this.#error += text;
    const lines = (this.#pending + text).split('\n');
    this.#pending = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('data: ')) this.#read(line.slice(6).trimEnd());
  }

  pieces(count: number): Promise<void> {
    if (this.pieceTimes.length >= count) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ count, resolve }));
  }

  failure(): Error {
    return new Error(`status ${this.status}: ${this.#error || 'the answer ended early'}`);
  }

  result(): ChatResult {
    return {
      sentAt: this.sentAt,
      pieceTimes: this.pieceTimes,
      text: this.#text,
      promptTokens: this.#usage?.prompt_tokens ?? 0,
      cachedTokens: this.#usage?.prompt_tokens_details?.cached_tokens ?? 0,
      completionTokens: this.#usage?.completion_tokens ?? 0,
    };
  }

  #read(data: string): void {
    if (data === '[DONE]') {
      this.finished = true;
      return;
    }
    const chunk: Chunk = JSON.parse(data);
    if (chunk.error) this.#error = chunk.error.message;
    if (chunk.usage) this.#usage = chunk.usage;
    const piece = chunk.choices?.[0]?.delta?.content;
    if (!piece) return;
    this.#text += piece;
    this.pieceTimes.push(performance.now());
    for (const { count, resolve } of this.#waiting) if (this.pieceTimes.length >= count) resolve();
  }
}
