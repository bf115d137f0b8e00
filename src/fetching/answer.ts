import type { IncomingMessage } from 'node:http';
import { pipeline, type Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { ServeError } from '../contract/errors.ts';
import type { WebAnswer } from '../contract/public-web.ts';
import { failed, refused, shown } from './places.ts';

export interface Reading {
  readonly maxBytes: number | undefined;
  readonly param: string | undefined;
  readonly signal: AbortSignal;
}

export function toAnswer(answer: IncomingMessage, url: URL, reading: Reading): WebAnswer {
  const headers = Object.entries(answer.headers).map(([name, value]) => [name, [value].flat().join(', ')]);
  return {
    status: answer.statusCode ?? 0,
    headers: Object.fromEntries(headers),
    url: url.href,
    body: { [Symbol.asyncIterator]: () => content(answer, url, reading) },
  };
}

async function* content(answer: IncomingMessage, url: URL, reading: Reading): AsyncGenerator<Uint8Array> {
  const { maxBytes = Number.POSITIVE_INFINITY, param, signal } = reading;
  let bytes = 0;
  try {
    for await (const chunk of decoded(answer)) {
      const piece: unknown = chunk;
      if (!(piece instanceof Uint8Array)) continue;
      bytes += piece.length;
      if (bytes > maxBytes) throw refused(`${shown(url.href)} is larger than ${maxBytes} bytes, the limit.`, param);
      yield piece;
    }
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ServeError ? error : failed(url, error, param);
  } finally {
    answer.destroy();
  }
}

function decoded(answer: IncomingMessage): Readable {
  const decoder = decoderOf(answer.headers['content-encoding']);
  // The pipeline hands errors on to the decoder, whose reader is told.
  return decoder ? pipeline(answer, decoder, () => undefined) : answer;
}

function decoderOf(encoding: string | undefined) {
  switch (encoding?.trim().toLowerCase()) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip();
    case 'deflate':
      return createInflate();
    case 'br':
      return createBrotliDecompress();
    default:
      return undefined;
  }
}
