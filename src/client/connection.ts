import { createParser } from 'eventsource-parser';
import { z } from 'zod';
import { type ErrorCode, ServeError } from '../contract/errors.ts';

/** What reaches a server: over the network, or a server in this very process. */
export type Fetch = (request: Request) => Promise<Response>;

export interface ServerAddress {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string | undefined;
}

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  /** Of JSON; makes the method POST. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/**
 * A server's API as the commands on a terminal use it. Everything throws a ServeError for a person, or the signal's
 * reason.
 */
export interface Connection extends ServerAddress {
  /** The answer's JSON as the schema reads it. */
  call<Answer>(path: string, schema: z.ZodType<Answer>, options?: CallOptions): Promise<Answer>;
  /** The data of each server-sent event, parsed, up to `[DONE]`. A stream that ends before that throws. */
  stream<Frame>(path: string, schema: z.ZodType<Frame>, options?: CallOptions): AsyncGenerator<Frame>;
}

export function connect({ url, key }: ServerAddress, fetch: Fetch = globalThis.fetch): Connection {
  async function ask(path: string, options: CallOptions): Promise<Response> {
    const request = makeRequest({ url, key }, path, options);
    const response = await fetch(request).catch((error: unknown) => {
      throw options.signal?.aborted ? options.signal.reason : unreachable(url, error);
    });
    if (response.ok) return response;
    throw await refusal(response, url, options.signal);
  }
  return {
    url,
    key,
    async call(path, schema, options = {}) {
      const response = await ask(path, options);
      return read(schema, await bodyOf(response, url, options.signal), url);
    },
    async *stream(path, schema, options = {}) {
      const response = await ask(path, options);
      try {
        for await (const data of eventData(response, url)) yield read(schema, data, url);
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason;
        throw error instanceof ServeError ? error : brokenOff(url, error);
      }
    },
  };
}

function makeRequest({ url, key }: ServerAddress, path: string, options: CallOptions): Request {
  const { body, signal, method = body === undefined ? 'GET' : 'POST' } = options;
  return new Request(url + path, {
    method,
    headers: {
      ...(body !== undefined && { 'content-type': 'application/json' }),
      ...(key !== undefined && { authorization: `Bearer ${key}` }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    ...(signal && { signal }),
    // A key is for this address alone.
    redirect: 'error',
  });
}

async function* eventData(response: Response, url: string): AsyncGenerator<unknown> {
  if (!response.body) throw brokenOff(url);
  const waiting: string[] = [];
  const parser = createParser({ onEvent: ({ data }) => waiting.push(data) });
  const decoder = new TextDecoder();
  for await (const bytes of response.body) {
    parser.feed(decoder.decode(bytes, { stream: true }));
    for (const data of waiting.splice(0)) {
      if (data === '[DONE]') return;
      yield JSON.parse(data);
    }
  }
  throw brokenOff(url);
}

function read<Value>(schema: z.ZodType<Value>, value: unknown, url: string): Value {
  const failed = errorBody.safeParse(value);
  if (failed.success) throw new ServeError('engine_failure', failed.data.error.message);
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ServeError(
    'engine_failure',
    `${url} does not answer as serve-model does (${issue?.path.join('.')}: ${issue?.message}). Is it another program, or another version?`,
  );
}

async function bodyOf(response: Response, url: string, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    throw brokenOff(url, error);
  }
}

const errorBody = z.object({ error: z.object({ message: z.string() }) });

const codes: Readonly<Record<number, ErrorCode>> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'request_timeout',
  413: 'payload_too_large',
  429: 'rate_limited',
  501: 'not_implemented',
  503: 'model_loading',
  507: 'storage_full',
};

async function refusal(response: Response, url: string, signal: AbortSignal | undefined): Promise<unknown> {
  const body: unknown = await response.json().catch(() => undefined);
  if (signal?.aborted) return signal.reason;
  const { status } = response;
  const code = codes[status] ?? (status < 500 ? 'invalid_request' : 'engine_failure');
  if (status === 401) return new ServeError(code, `${url} wants a key. Set SERVE_MODEL_API_KEY, or --api-key.`);
  const { data } = errorBody.safeParse(body);
  return new ServeError(code, data?.error.message ?? `${url} answered with HTTP status ${status}.`);
}

function unreachable(url: string, error: unknown): ServeError {
  return new ServeError('not_found', `No server answers at ${url}${reasonOf(error)}.`, {}, { cause: error });
}

function brokenOff(url: string, error?: unknown): ServeError {
  return new ServeError(
    'engine_failure',
    `The answer of ${url} broke off${reasonOf(error)}. Is the server still there?`,
    {},
    { cause: error },
  );
}

/** fetch says only that it failed; why stands in the causes. */
function reasonOf(error: unknown): string {
  let reason = '';
  for (let at = error; at instanceof Error; at = at.cause) reason = codeOf(at) ?? at.message;
  return reason === '' ? '' : ` (${reason})`;
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
