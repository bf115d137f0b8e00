import { ServeError } from '../../contract/errors.ts';
import type { PageFile, PageFiles } from '../../contract/page-files.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { Exchange } from '../exchange.ts';
import { pagePolicy, sandboxPolicy } from '../page/page-policy.ts';
import { fileResponse } from '../page/static-file.ts';
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
