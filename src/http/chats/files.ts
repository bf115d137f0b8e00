import type { ChatStore } from '../../contract/chats.ts';
import { ServeError } from '../../contract/errors.ts';
import { acceptedCodings } from '../bodies/decode-body.ts';
import { inTime } from '../bodies/read-body.ts';
import type { AppDependencies } from '../dependencies.ts';
import type { Exchange } from '../exchange.ts';
import { streamOf } from '../streams/stream-of.ts';

/** POST /api/chats/files/{sha256}: the bytes as they are, which are hashed while they come. */
export async function keepFile(
  exchange: Exchange,
  store: ChatStore,
  { settings, timers }: Pick<AppDependencies, 'settings' | 'timers'>,
): Promise<Response> {
  const { request, caller, parameters } = exchange;
  const { sha256 = '' } = parameters;
  if ((exchange.header('content-encoding') ?? 'identity') !== 'identity')
    throw new ServeError(
      'unsupported_media_type',
      `Files are kept as they come: send them without ${acceptedCodings}.`,
    );
  const { fileBytes } = store.limits;
  if (Number(exchange.header('content-length') ?? 0) > fileBytes)
    throw new ServeError(
      'payload_too_large',
      `The file is larger than ${fileBytes / 1024 / 1024} MB, more than which is not kept.`,
    );
  const kept = await inTime(store.keepFile(caller, sha256, bodyOf(request)), settings.bodyTimeoutMs, timers);
  return Response.json({ sha256, ...kept });
}

/**
 * GET /api/chats/files/{sha256}: never as a page of the server's own. Whatever somebody was made to keep, a browser that
 * opens it must neither run nor guess it.
 */
export async function fileAnswer(exchange: Exchange, store: ChatStore): Promise<Response> {
  const { sha256 = '' } = exchange.parameters;
  const file = await store.file(exchange.caller, sha256);
  const headers = {
    etag: `"${sha256}"`,
    'cache-control': 'private, no-cache',
    'content-disposition': 'attachment',
    'x-content-type-options': 'nosniff',
    'content-security-policy': "sandbox; default-src 'none'",
  };
  if (exchange.header('if-none-match') === headers.etag) return new Response(null, { status: 304, headers });
  return new Response(streamOf(file.read()), {
    headers: { ...headers, 'content-type': 'application/octet-stream', 'content-length': String(file.bytes) },
  });
}

async function* bodyOf({ body }: Request): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of body ?? []) yield piece;
  } catch (cause) {
    throw new ServeError('client_closed', 'The client left before its file had arrived.', {}, { cause });
  }
}
