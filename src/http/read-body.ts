import { ServeError } from '../contract/errors.ts';
import { parseJson } from './json-guard.ts';
import type { Timers } from './timers.ts';

export interface BodyLimits {
  readonly maxBodyBytes: number;
  readonly maxJsonDepth: number;
  readonly bodyTimeoutMs: number;
}

/** The request's JSON, bounded in size, depth and time. */
export async function readJson(request: Request, limits: BodyLimits, timers: Timers): Promise<unknown> {
  const bytes = await inTime(readBytes(request, limits.maxBodyBytes), limits.bodyTimeoutMs, timers);
  return parseJson(new TextDecoder().decode(bytes), limits.maxJsonDepth);
}

async function readBytes(request: Request, limit: number): Promise<Uint8Array> {
  const announced = request.headers.get('content-length');
  if (announced === null) return readUnannounced(request, limit);
  if (Number(announced) > limit) throw tooLarge(limit);
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (error) {
    throw brokenOff(error);
  }
}

/** A chunked body tells no length, so it is counted as it comes. */
async function readUnannounced(request: Request, limit: number): Promise<Uint8Array> {
  if (!request.body) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of request.body) {
      size += piece.byteLength;
      if (size > limit) throw tooLarge(limit);
      pieces.push(piece);
    }
  } catch (error) {
    throw error instanceof ServeError ? error : brokenOff(error);
  }
  return Buffer.concat(pieces);
}

async function inTime<T>(work: Promise<T>, milliseconds: number, timers: Timers): Promise<T> {
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
