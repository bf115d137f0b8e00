import { isIP } from 'node:net';
import { ServeError } from '../../contract/errors.ts';

/**
 * Which web pages may use a route, beside those of --cors-origin. `any`: all, and whatever the Host header says, as for
 * probes. `local`: those on this machine, and the server's own. `own`: the server's own alone (scheme, host and port),
 * for what would harm its owner in the hands of some other page that happens to run on this machine.
 */
export type Pages = 'any' | 'local' | 'own';

export interface OriginRules {
  readonly corsOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly boundHost: string;
  readonly hasKeys: boolean;
  /** A request without Host (HTTP/1.0 may leave it out) is refused where not every name is allowed. */
  readonly needsHost: boolean;
  readonly pages: Pages;
}

type Asked = Pick<Request, 'headers' | 'url'>;

/**
 * A web page must not drive the server through its visitor's browser. Browsers name the page in Origin, so a foreign one
 * is refused. A page whose own name was made to point here (DNS rebinding) is its own origin; what gives it away is the
 * Host header, which is checked as long as no key stands in the way.
 */
export function checkOrigin({ headers, url }: Asked, rules: OriginRules): void {
  if (rules.pages === 'any') return;
  const host = headers.get('host') ?? '';
  if (host === '' && rules.needsHost && !rules.hasKeys && !rules.allowedHosts.includes('*'))
    throw new ServeError(
      'invalid_request',
      "The request has no Host header. Send one, or start the server with --allowed-host '*' or an --api-key.",
    );
  if (!rules.hasKeys && !hostAllowed(host, rules))
    throw new ServeError(
      'forbidden',
      `The request was sent to the host name ${JSON.stringify(host)}, which is not this server's. Allow it with --allowed-host, or set an --api-key.`,
    );
  const origin = headers.get('origin');
  if (origin === null || originAllowed(origin, { headers, url }, rules)) return;
  throw new ServeError(
    'forbidden',
    `Web pages from ${JSON.stringify(origin)} may not use this server. Allow them with --cors-origin.`,
  );
}

/** One that was allowed, the server's own as the request names it, or, where the route says so, a local one. */
export function originAllowed(
  origin: string,
  asked: Asked,
  { corsOrigins, pages }: Pick<OriginRules, 'corsOrigins' | 'pages'>,
): boolean {
  if (corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  const own = ownUrl(asked);
  if (pages === 'own') return origin === own?.origin;
  if (origin === 'tauri://localhost') return true;
  const page = URL.canParse(origin) ? new URL(origin) : undefined;
  if (page === undefined || !/^https?:$/.test(page.protocol)) return false;
  // A proxy in front may speak another scheme than this server.
  return isLocalName(page.hostname) || page.host === own?.host;
}

function ownUrl({ headers, url }: Asked): URL | undefined {
  const asked = new URL(url);
  const text = `${asked.protocol}//${headers.get('host') ?? asked.host}`;
  return URL.canParse(text) ? new URL(text) : undefined;
}

function hostAllowed(host: string, { allowedHosts, boundHost }: OriginRules): boolean {
  // Browsers always send one.
  if (host === '' || allowedHosts.includes('*')) return true;
  const name = nameOf(host);
  if (name === undefined) return false;
  if (
    isLocalName(name) ||
    name === boundHost.toLowerCase() ||
    allowedHosts.some((allowed) => allowed.toLowerCase() === name)
  )
    return true;
  // Bound to every address, each of them is its own. An address cannot be rebound: only names can.
  return isWildcard(boundHost) && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
}

function nameOf(host: string): string | undefined {
  const text = `http://${host}`;
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  return url.pathname === '/' && url.username === '' && url.search === '' ? url.hostname : undefined;
}

/** *.localhost never leaves the machine either (RFC 6761); Tauri on Windows uses tauri.localhost. */
function isLocalName(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost') || name === '127.0.0.1' || name === '[::1]';
}

function isWildcard(address: string): boolean {
  return address === '0.0.0.0' || address === '::' || address === '';
}
