import type { HttpBindings } from '@hono/node-server';

const loopback = /^(127\.|::1$|::ffff:127\.)/;

/**
 * Whether the request comes from this machine itself. One that a proxy passed on does not, however near the proxy is;
 * one without a socket cannot tell, so it does not either.
 */
export function isLocalCaller(headers: Headers, bindings: Partial<HttpBindings> | undefined): boolean {
  if (headers.has('x-forwarded-for') || headers.has('forwarded')) return false;
  return loopback.test(bindings?.incoming?.socket.remoteAddress ?? '');
}
