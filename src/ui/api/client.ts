import { ApiFailure, errorIn, failureOf, reasonOf } from './failure.ts';
import { SseReader } from './sse.ts';

interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  /** In place of a body that is JSON. */
  readonly bytes?: Blob;
  readonly signal?: AbortSignal;
  /** The request is sent to its end even if the page goes away. */
  readonly keepalive?: boolean;
}

export interface ApiClient {
  /** The answer's JSON. Throws ApiFailure, or the signal's reason. The shape is the server's word. */
  call<Answer>(path: string, options?: CallOptions): Promise<Answer>;
  /** The answer as it is. Throws as `call` does. */
  bytes(path: string, options?: CallOptions): Promise<Blob>;
  /** Each event's data, parsed, up to `[DONE]` or the end. Throws ApiFailure, or the signal's reason. */
  stream(path: string, options?: CallOptions): AsyncGenerator<unknown>;
}

export interface ClientEnvironment {
  /** Where the API lies, with a slash at its end. */
  readonly base: string;
  readonly fetch: typeof fetch;
  /** Undefined: none is needed, or none is known yet. */
  readonly key: () => string | undefined;
  /** Told of every answer's status, 0 for none: this is how the page learns that the server is gone, or back. */
  readonly onStatus?: (status: number) => void;
}

export function createClient({ base, fetch, key, onStatus }: ClientEnvironment): ApiClient {
  async function ask(path: string, { method, body, bytes, signal, keepalive }: CallOptions): Promise<Response> {
    const known = key();
    let response: Response;
    try {
      response = await fetch(base + path.replace(/^\//, ''), {
        method: method ?? (body === undefined && bytes === undefined ? 'GET' : 'POST'),
        headers: {
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(bytes !== undefined && { 'content-type': 'application/octet-stream' }),
          ...(known !== undefined && { authorization: `Bearer ${known}` }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        ...(bytes !== undefined && { body: bytes }),
        ...(signal && { signal }),
        ...(keepalive && { keepalive }),
        cache: 'no-store',
        credentials: 'omit',
        redirect: 'error',
      });
    } catch (error) {
      if (signal?.aborted) throw signal.reason;
      onStatus?.(0);
      throw new ApiFailure('unreachable', reasonOf(error));
    }
    onStatus?.(response.status);
    if (!response.ok) throw await failureOf(response);
    return response;
  }

  async function whole<Answer>(path: string, options: CallOptions, read: (from: Response) => Promise<Answer>) {
    const response = await ask(path, options);
    try {
      return await read(response);
    } catch (error) {
      if (options.signal?.aborted) throw options.signal.reason;
      throw brokenOff(error, response);
    }
  }

  return {
    call: <Answer>(path: string, options: CallOptions = {}) =>
      whole(path, options, (response) => response.json() as Promise<Answer>),
    bytes: (path, options = {}) => whole(path, options, (response) => response.blob()),
    async *stream(path, options = {}) {
      const response = await ask(path, options);
      try {
        yield* eventsOf(response);
      } catch (error) {
        if (options.signal?.aborted) throw options.signal.reason;
        if (error instanceof ApiFailure) throw error;
        onStatus?.(0);
        throw brokenOff(error, response);
      }
    },
  };
}

async function* eventsOf(response: Response): AsyncGenerator<unknown> {
  const reader = response.body?.getReader();
  if (!reader) return;
  const events = new SseReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      for (const data of done ? events.end() : events.push(value)) {
        if (data === '[DONE]') return;
        yield parsed(data, response);
      }
      if (done) throw new ApiFailure('broken', 'The stream ended before the answer did.', facts(response));
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

function parsed(data: string, response: Response): unknown {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    throw new ApiFailure('broken', `The stream has a piece that is no JSON: ${data.slice(0, 200)}`, facts(response));
  }
  const error = errorIn(value);
  if (error) throw new ApiFailure('refused', error.message, { ...facts(response), ...error });
  return value;
}

function brokenOff(error: unknown, response: Response): ApiFailure {
  return new ApiFailure('broken', reasonOf(error), facts(response));
}

function facts(response: Response): { status: number; requestId: string | null } {
  return { status: response.status, requestId: response.headers.get('x-request-id') };
}
