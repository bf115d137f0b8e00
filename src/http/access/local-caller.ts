const loopback = /^(127\.|::1$|::ffff:127\.)/;

/** The part of the adapter's bindings that is looked at. */
interface SocketBindings {
  readonly incoming?: { readonly socket: { readonly remoteAddress?: string | undefined } };
}

/**
 * Whether the request comes from this machine itself. One that a proxy passed on does not, however near the proxy is;
 * one without a socket cannot tell, so it does not either.
 */
export function isLocalCaller(headers: Headers, bindings: SocketBindings | undefined): boolean {
  if (headers.has('x-forwarded-for') || headers.has('forwarded')) return false;
  return loopback.test(bindings?.incoming?.socket.remoteAddress ?? '');
}
