import { Readable } from 'node:stream';
import type { FetchLike } from '@modelcontextprotocol/client';
import type { PublicWeb } from '../contract/public-web.ts';

/** A call may take as long as its own limit says; who waits for the head of an answer ends it by the signal. */
const longestMs = 86_400_000;

/** Set by whoever sends the request, never by a client. */
const ownHeaders = new Set(['host', 'content-length', 'connection', 'transfer-encoding', 'upgrade', 'expect', 'te']);

/** `fetch` as the protocol's client wants it, to the public internet alone. */
export function fetchThrough(web: PublicWeb): FetchLike {
  return async (url, init = {}) => {
    const { method = 'GET', body, signal } = init;
    if (body !== undefined && body !== null && typeof body !== 'string') throw new TypeError('A body that is no text.');
    const answer = await web.open({
      url: String(url),
      method,
      headers: headersOf(init.headers),
      ...(body && { body }),
      timeoutMs: longestMs,
      ...(signal && { signal }),
    });
    const { status } = answer;
    // Decoded already.
    const { 'content-encoding': _, 'content-length': __, ...headers } = answer.headers;
    const content = Readable.from(answer.body, { objectMode: false });
    if (status !== 204 && status !== 205 && status !== 304)
      return new Response(Readable.toWeb(content), { status, headers });
    content.destroy();
    return new Response(null, { status, headers });
  };
}

function headersOf(init: RequestInit['headers']): Record<string, string> {
  return Object.fromEntries([...new Headers(init)].filter(([name]) => !ownHeaders.has(name)));
}
