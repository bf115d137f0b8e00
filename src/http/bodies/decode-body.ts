import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { ServeError } from '../../contract/errors.ts';

/** Content codings of request bodies, RFC 9110 8.4.1: name -> how to undo it. The server's answer to others names them. */
const decoders = { gzip: gunzipSync, 'x-gzip': gunzipSync, br: brotliDecompressSync } as const;

export const acceptedCodings = 'gzip, br';

/**
 * The body that was meant. Throws `unsupported_media_type` for codings that are not known, `tooLarge()` where more than
 * `limit` bytes would come out.
 *
 * In one go and on this thread: while a model computes on the CPU the pool's only free thread is the one that decodes,
 * see DecodeThread, and each piece would wait for a step. The price is 3 ms for each MB, less than reading it as JSON.
 */
export function decodeBody(
  bytes: Uint8Array<ArrayBuffer>,
  contentEncoding: string | null,
  limit: number,
  tooLarge: () => ServeError,
): Uint8Array<ArrayBuffer> {
  const codings = (contentEncoding ?? '').toLowerCase().split(',');
  const [coding, ...more] = codings.map((name) => name.trim()).filter((name) => name !== '' && name !== 'identity');
  if (coding === undefined) return bytes;
  if (more.length > 0 || !isKnown(coding))
    throw new ServeError(
      'unsupported_media_type',
      `The request body is encoded as ${JSON.stringify(contentEncoding)}. Send it as it is, or encoded once as ${acceptedCodings}.`,
    );
  try {
    return decoders[coding](bytes, { maxOutputLength: limit });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new ServeError(
      'invalid_request',
      `The request body is not what its Content-Encoding says: it cannot be decoded as ${coding}.`,
      {},
      { cause: error },
    );
  }
}

function isKnown(coding: string): coding is keyof typeof decoders {
  return Object.hasOwn(decoders, coding);
}
