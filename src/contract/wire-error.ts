import { type ErrorCode, type ErrorDetails, ServeError } from './errors.ts';

/** An error as it goes to another thread or process of this server. */
export interface WireError {
  /** undefined: no ServeError. */
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly details: ErrorDetails;
  /** For the log. */
  readonly cause: string | undefined;
}

export function toWire(error: unknown): WireError {
  if (!(error instanceof ServeError))
    return { code: undefined, message: wordsOf(error), details: {}, cause: undefined };
  const { code, message, details, cause } = error;
  return { code, message, details, cause: cause === undefined ? undefined : wordsOf(cause) };
}

export function fromWire({ code, message, details, cause }: WireError): Error {
  const options = cause === undefined ? {} : { cause };
  return code === undefined ? new Error(message, options) : new ServeError(code, message, details, options);
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
