import { isIP } from 'node:net';
import { ServeError } from '../../contract/errors.ts';

export interface OriginRules {
  readonly corsOrigins: readonly string[];
  readonly allowedHosts: readonly string[];
  readonly boundHost: string;
  readonly hasKeys: boolean;
  /** A request without Host (HTTP/1.0 may leave it out) is refused where not every name is allowed. */
  readonly needsHost: boolean;
}

/**
 * A web page must not drive the server through its visitor's browser. Browsers name the page in Origin, so a foreign one
 * is refused. A page whose own name was made to point here (DNS rebinding) is its own origin; what gives it away is the
 * Host header, which is checked as long as no key stands in the way.
 */
export function checkOrigin(headers: Headers, rules: OriginRules): void {
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
  if (origin === null || originAllowed(origin, host, rules.corsOrigins)) return;
  throw new ServeError(
    'forbidden',
    `Web pages from ${JSON.stringify(origin)} may not use this server. Allow them with --cors-origin.`,
  );
}

/** The server's own origin, a local one, or one that was allowed. */
export function originAllowed(origin: string, host: string, corsOrigins: readonly string[]): boolean {
  if (corsOrigins.includes('*') || corsOrigins.includes(origin)) return true;
  if (origin === 'tauri://localhost') return true;
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) return false;
  return isLocalName(url.hostname) || url.host === host.toLowerCase();
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
