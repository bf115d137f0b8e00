/** Why a request did not give what was asked for. */
export type FailureKind =
  /** Nobody answered. */
  | 'unreachable'
  /** The server said no, or that it cannot. */
  | 'refused'
  /** A stream that broke off, or that says what this page does not understand. */
  | 'broken';

interface FailureFacts {
  readonly status?: number;
  readonly code?: string;
  readonly requestId?: string | null;
  readonly retryAfterMs?: number | undefined;
  readonly answer?: unknown;
}

export class ApiFailure extends Error {
  readonly kind: FailureKind;
  /** Of HTTP; 0 where there was no answer. */
  readonly status: number;
  /** One of the server's own list, as `context_length_exceeded`. */
  readonly code: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterMs: number | undefined;
  /** The body that came with the status. */
  readonly answer: unknown;

  constructor(kind: FailureKind, message: string, facts: FailureFacts = {}) {
    super(message);
    this.kind = kind;
    this.status = facts.status ?? 0;
    this.code = facts.code;
    this.requestId = facts.requestId ?? undefined;
    this.retryAfterMs = facts.retryAfterMs;
    this.answer = facts.answer;
  }
}

/** Nobody answered: what was asked for may be had later. */
export function isAway(thrown: unknown): boolean {
  return thrown instanceof ApiFailure && thrown.kind === 'unreachable';
}

/** Of whatever was thrown, for a person. */
export function reasonOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
}

/** What the server's error body says; OpenAI's form. */
export async function failureOf(response: Response): Promise<ApiFailure> {
  const body: unknown = await response.json().catch(() => undefined);
  const { message, code } = errorIn(body) ?? {};
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  return new ApiFailure('refused', message ?? `HTTP ${response.status}`, {
    status: response.status,
    ...(code !== undefined && { code }),
    requestId: response.headers.get('x-request-id'),
    retryAfterMs: Number.isFinite(seconds) ? seconds * 1000 : undefined,
    answer: body,
  });
}

/** The `error` of a body or of a frame of a stream. */
export function errorIn(body: unknown): { message: string; code?: string } | undefined {
  const error = member(body, 'error');
  const message = member(error, 'message');
  const code = member(error, 'code');
  if (typeof message !== 'string') return undefined;
  return { message, ...(typeof code === 'string' && { code }) };
}

/** A member of what may be anything. */
export function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && name in value
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}
