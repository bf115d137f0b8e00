import type { Duplex } from 'node:stream';
import { ServeError, toServeError } from '../contract/errors.ts';
import { openaiError } from '../dialects/shared/openai-error.ts';
import { statusOf } from './error-response.ts';

/**
 * What is no HTTP never reaches a route: Node hands the bare socket over. The client is told in the words of the API all
 * the same, and the connection is closed, because nobody knows where its next request would begin.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Duplex): void {
  // The other side is gone already, or an answer has begun on this connection.
  if (
    error.code === 'ECONNRESET' ||
    !socket.writable ||
    ('bytesWritten' in socket && Number(socket.bytesWritten) > 0)
  ) {
    socket.destroy();
    return;
  }
  const { status, reason, told } = answers[error.code ?? ''] ?? malformed;
  const body = JSON.stringify(openaiError(told).body);
  const head = [
    `HTTP/1.1 ${status} ${reason}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(body)}`,
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

/** The same for what the adapter cannot make a request of: a Host or an address that is none. */
export function answerRequestError(): Response {
  return Response.json(openaiError(malformed.told).body, {
    status: malformed.status,
    headers: { connection: 'close' },
  });
}

/** What the app throws it answers itself; this is for what nobody thought of. */
export function answerFailure(thrown: unknown): Response {
  return Response.json(openaiError(toServeError(thrown)).body, { status: statusOf.internal });
}

interface Answer {
  readonly status: number;
  readonly reason: string;
  readonly told: ServeError;
}

const malformed: Answer = {
  status: statusOf.invalid_request,
  reason: 'Bad Request',
  told: new ServeError('invalid_request', 'This is not a valid HTTP/1.1 request.'),
};

const answers: Readonly<Record<string, Answer>> = {
  HPE_HEADER_OVERFLOW: {
    status: 431,
    reason: 'Request Header Fields Too Large',
    told: new ServeError('payload_too_large', 'The headers of the request are larger than 16 KiB.'),
  },
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: statusOf.request_timeout,
    reason: 'Request Timeout',
    told: new ServeError('request_timeout', 'The request did not arrive in time (--header-timeout, --body-timeout).'),
  },
};
