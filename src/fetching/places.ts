import { isIP } from 'node:net';
import { ServeError } from '../contract/errors.ts';
import { isPublicAddress, isSameAddress } from './addresses.ts';

/** Name -> all its addresses. Rejects when there are none. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;

export interface PlaceRules {
  readonly resolve: Resolver;
  /** Those of this machine's interfaces: also a public one of them leads to what is meant for its own network. */
  readonly ownAddresses: () => readonly string[];
  readonly param: string | undefined;
}

/** Where a URL may be asked: nothing but these addresses is connected to. */
export interface Place {
  readonly url: URL;
  readonly addresses: readonly string[];
}

/** The one way from a URL to addresses. ServeError invalid_request for everything that may not be asked. */
export async function findPlace(text: string, rules: PlaceRules): Promise<Place> {
  const url = readUrl(text, rules.param);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const addresses = isIP(host) === 0 ? await resolved(host, rules) : [host];
  const isRefused = (address: string) =>
    !isPublicAddress(address) || rules.ownAddresses().some((own) => isSameAddress(own, address));
  // One answer for a name that is unknown and for one of an inner network: nobody can try out which ones there are.
  if (addresses.length === 0 || addresses.some(isRefused))
    throw refused(`${shown(url.host)} leads to no address of the public internet, so it is not asked.`, rules.param);
  return { url, addresses };
}

function readUrl(text: string, param: string | undefined): URL {
  if (!URL.canParse(text)) throw refused(`${shown(text)} is no URL.`, param);
  const url = new URL(text);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw refused(`${shown(text)} is not fetched: only http and https URLs are.`, param);
  if (url.username !== '' || url.password !== '')
    throw refused('A URL with a user name or password in it is not fetched.', param);
  return url;
}

async function resolved(host: string, { resolve }: PlaceRules): Promise<readonly string[]> {
  try {
    return await resolve(host);
  } catch {
    return [];
  }
}

export function refused(sentence: string, param: string | undefined): ServeError {
  return new ServeError('invalid_request', sentence, param === undefined ? {} : { param });
}

/** Data URIs and the like may be megabytes. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

/** What the network did, without its details: they tell of the network that the server stands in. */
export function failed(url: URL, error: unknown, param: string | undefined): ServeError {
  const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : '';
  const sentence = `${shown(url.host)} could not be reached, or broke off${code}.`;
  return new ServeError('invalid_request', sentence, param === undefined ? {} : { param }, { cause: error });
}
