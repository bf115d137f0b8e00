import { ServeError } from '../../contract/errors.ts';
import type { Timers } from '../../contract/services.ts';
import { decodeBody } from './decode-body.ts';
import { parseJson } from './json-guard.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly bodyTimeoutMs: number;
}

/** The request's JSON, bounded in size (as sent, and decoded), depth and time. */
export async function readJson(request: Request, limits: BodyLimits, timers: Timers): Promise<unknown> {
  const { maxBodyBytes, maxJsonDepth, bodyTimeoutMs } = limits;
  const sent = await inTime(readBytes(request, maxBodyBytes), bodyTimeoutMs, timers);
  const bytes = decodeBody(sent, request.headers.get('content-encoding'), maxBodyBytes, () => tooLarge(maxBodyBytes));
  return parseJson(new TextDecoder().decode(bytes), maxJsonDepth);
}

/**
 * What is too large is still taken off the wire, up to this many times the limit: most clients read no answer before
 * they have sent everything, and would see a broken connection instead of the reason.
 */
const takenTimes = 4;

async function readBytes(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const announced = Number(request.headers.get('content-length') ?? Number.NaN);
  if (announced > limit * takenTimes) throw tooLarge(limit);
  try {
    if (announced <= limit) return new Uint8Array(await request.arrayBuffer());
    return await readCounting(request, limit);
  } catch (error) {
    throw error instanceof ServeError ? error : brokenOff(error);
  }
}

/** A chunked body tells no length, so it is counted as it comes. */
async function readCounting(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of request.body ?? []) {
    size += piece.byteLength;
    if (size > limit * takenTimes) break;
    if (size <= limit) pieces.push(piece);
    else pieces.length = 0;
  }
  if (size > limit) throw tooLarge(limit);
  return Buffer.concat(pieces);
}

/** Rejects with `request_timeout` where it takes longer. */
export async function inTime<T>(work: Promise<T>, milliseconds: number, timers: Timers): Promise<T> {
  let disarm: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    disarm = timers.after(milliseconds, () =>
      reject(new ServeError('request_timeout', `The request body did not arrive within ${milliseconds / 1000} s.`)),
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    disarm();
  }
}

function tooLarge(limit: number): ServeError {
  return new ServeError(
    'payload_too_large',
    `The request body is larger than ${Math.floor(limit / 1024 / 1024)} MiB (${limit} bytes). Send less, or start the server with a larger --max-body-mb.`,
  );
}

function brokenOff(cause: unknown): ServeError {
  return new ServeError('client_closed', 'The client left before its request had arrived.', {}, { cause });
}
