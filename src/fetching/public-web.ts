import type { IncomingMessage } from 'node:http';
import type { Download, DownloadOptions, PublicWeb, WebAnswer } from '../contract/public-web.ts';
import type { Timers } from '../contract/services.ts';
import { untilAborted } from '../contract/signals.ts';
import { toAnswer } from './answer.ts';
import type { Dialer } from './dial.ts';
import { type Ask, exchange } from './exchange.ts';
import { failed, findPlace, type Place, type PlaceRules, type Resolver, refused, shown } from './places.ts';
import { limitTime } from './time-limit.ts';

export interface PublicWebOptions {
  readonly resolve: Resolver;
  readonly dial: Dialer;
  /** Those of this machine's interfaces. */
  readonly ownAddresses: () => readonly string[];
  readonly timers: Timers;
}

/** Pages that move need two or three. */
const maxRedirects = 5;

export function createPublicWeb(options: PublicWebOptions): PublicWeb {
  return {
    async download(url, limits) {
      const { accept, maxBytes, param } = limits;
      const limit = limitTime(options.timers, limits);
      try {
        const headers = accept === undefined ? {} : { accept };
        const { answer } = await follow({ url, headers, maxBytes, param, signal: limit.signal }, options);
        return await readWhole(answer, limits);
      } finally {
        limit.stop();
      }
    },
    async open(request) {
      const limit = limitTime(options.timers, request);
      try {
        const { answer, incoming } = await follow({ ...request, signal: limit.signal }, options);
        limit.disarm();
        incoming.once('close', () => limit.stop());
        return answer;
      } catch (error) {
        limit.stop();
        throw error;
      }
    },
  };
}

interface Journey {
  readonly url: string;
  readonly method?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly maxBytes?: number | undefined;
  readonly param?: string | undefined;
  readonly signal: AbortSignal;
}

/** Asks, and asks again where the answer sends it; each address is checked anew. */
async function follow(
  { url, method = 'GET', body, maxBytes, param, signal, ...journey }: Journey,
  options: PublicWebOptions,
): Promise<{ answer: WebAnswer; incoming: IncomingMessage }> {
  const rules: PlaceRules = { ...options, param };
  let place = await untilAborted(findPlace(url, rules), signal);
  let headers = lowerCased(journey.headers ?? {});
  for (let redirects = 0; ; redirects++) {
    const asked = { 'user-agent': 'serve-model', ...headers, 'accept-encoding': 'gzip, deflate, br' };
    const incoming = await ask(place, { method, headers: asked, body }, { options, signal, param });
    const next = redirectOf(incoming, place.url);
    if (next === undefined) return { answer: toAnswer(incoming, place.url, { maxBytes, param, signal }), incoming };
    incoming.destroy();
    if (redirects === maxRedirects)
      throw refused(`${shown(url)} leads from one address to the next without an end.`, param);
    const from = place.url;
    place = await untilAborted(findPlace(next.url, rules), signal);
    const leaves = place.url.origin !== from.origin;
    if (method !== 'GET' && (leaves || !next.keepsMethod))
      throw refused(`${shown(from.host)} sends a ${method} elsewhere, which is not followed.`, param);
    if (leaves) headers = headers.accept === undefined ? {} : { accept: headers.accept };
  }
}

async function ask(
  place: Place,
  what: Ask,
  { options, signal, param }: { options: PublicWebOptions; signal: AbortSignal; param: string | undefined },
): Promise<IncomingMessage> {
  try {
    return await exchange(place, what, options.dial, signal);
  } catch (error) {
    signal.throwIfAborted();
    throw failed(place.url, error, param);
  }
}

function redirectOf(answer: IncomingMessage, from: URL): { url: string; keepsMethod: boolean } | undefined {
  const { statusCode = 0 } = answer;
  const { location } = answer.headers;
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined) return undefined;
  const url = URL.canParse(location, from.href) ? new URL(location, from.href).href : location;
  return { url, keepsMethod: statusCode >= 307 };
}

async function readWhole(answer: WebAnswer, { maxBytes, param }: DownloadOptions): Promise<Download> {
  if (answer.status < 200 || answer.status > 299)
    throw refused(`${shown(answer.url)} was answered with the status ${answer.status}.`, param);
  // Before the first byte where the server tells its size; what it does not tell is counted.
  if (Number(answer.headers['content-length'] ?? 0) > maxBytes)
    throw refused(`${shown(answer.url)} is larger than ${maxBytes} bytes, the limit.`, param);
  const chunks: Uint8Array[] = [];
  for await (const chunk of answer.body) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), contentType: answer.headers['content-type'], url: answer.url };
}

function lowerCased(headers: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
