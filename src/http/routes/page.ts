import { ServeError } from '../../contract/errors.ts';
import type { PageEncoding, PageFile, PageFiles } from '../../contract/page-files.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { Exchange } from '../exchange.ts';
import { pagePolicy, sandboxPolicy } from '../page-policy.ts';
import type { Route } from '../route.ts';

const forever = 'public, max-age=31536000, immutable';

/** The files of the chat page. Anyone may read them: the page asks for the key itself. */
export function pageRoutes(page: PageFiles): Route[] {
  const common = { method: 'GET', shape: openaiShape, access: 'open', owns: 'none', work: false } as const;
  const file = (exchange: Exchange, path: string, headers: Record<string, string>) => {
    const found = page.find(path);
    if (found === undefined) throw new ServeError('not_found', `The page has no file ${JSON.stringify(path)}.`);
    return fileResponse(exchange, found, headers);
  };
  return [
    {
      ...common,
      // The names are made of their content.
      paths: ['/ui/assets/:file{.+}'],
      handle: (exchange) => file(exchange, `assets/${exchange.parameters.file}`, { 'cache-control': forever }),
    },
    {
      ...common,
      paths: ['/ui/sandbox'],
      handle: (exchange) =>
        file(exchange, 'sandbox.html', { 'cache-control': 'no-cache', 'content-security-policy': sandboxPolicy }),
    },
    {
      ...common,
      paths: ['/ui/icon.svg', '/ui/LICENSES.txt'],
      handle: (exchange) => file(exchange, exchange.path.split('/').at(-1) ?? '', { 'cache-control': 'no-cache' }),
    },
  ];
}

/** The page itself. It names its assets relative to where it lies, and finds the API from where they lie. */
export async function pageDocument(exchange: Exchange, file: PageFile): Promise<Response> {
  const headers = {
    'cache-control': 'no-cache',
    'content-security-policy': pagePolicy,
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    vary: 'accept, accept-encoding',
  };
  const last = new URL(exchange.request.url).pathname.split('/').at(-1) ?? '';
  if (last === '') return fileResponse(exchange, file, headers);
  // Mounted under a prefix and asked for without the slash behind it: to a browser that is one level above.
  const html = new TextDecoder().decode(await file.read('identity'));
  return new Response(html.replaceAll('"./ui/', `"./${encodeURIComponent(last)}/ui/`), {
    headers: { ...headers, 'content-type': file.type },
  });
}

async function fileResponse(
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
