import type { PageEncoding, PageFile } from '../../contract/page-files.ts';
import type { Exchange } from '../exchange.ts';

/** A built file in the form that the client takes, or 304 where it has it. `more` are headers, which win. */
export async function fileResponse(
  exchange: Exchange,
  file: PageFile,
  more: Readonly<Record<string, string>>,
): Promise<Response> {
  const encoding = file.compressed ? encodingOf(exchange.header('accept-encoding') ?? '') : 'identity';
  // Each form is a content of its own to a cache (RFC 9110 8.8.3.3).
  const etag = `"${file.etag}${encoding === 'identity' ? '' : `-${encoding}`}"`;
  const headers = {
    vary: 'accept-encoding',
    'x-content-type-options': 'nosniff',
    'cross-origin-resource-policy': 'same-origin',
    ...more,
    etag,
  };
  if (exchange.header('if-none-match')?.includes(etag)) return new Response(null, { status: 304, headers });
  const body = await file.read(encoding);
  return new Response(body, {
    headers: {
      ...headers,
      'content-type': file.type,
      'content-length': `${body.length}`,
      ...(encoding !== 'identity' && { 'content-encoding': encoding }),
    },
  });
}

function encodingOf(accepted: string): PageEncoding {
  const names = accepted.split(',').flatMap((part) => {
    const [name = '', quality = ''] = part.split(';');
    return /^\s*q=0(\.0*)?\s*$/.test(quality) ? [] : [name.trim().toLowerCase()];
  });
  if (names.includes('br')) return 'br';
  return names.includes('gzip') || names.includes('*') ? 'gzip' : 'identity';
}
