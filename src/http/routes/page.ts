import { ServeError } from '../../contract/errors.ts';
import type { PageFile, PageFiles } from '../../contract/page-files.ts';
import { openaiShape } from '../../dialects/shared/openai-error.ts';
import type { Exchange } from '../exchange.ts';
import { pagePolicy, sandboxPolicy, workerPolicy } from '../page/page-policy.ts';
import { fileResponse } from '../page/static-file.ts';
import type { Route } from '../route.ts';

const forever = 'public, max-age=31536000, immutable';

const common = { method: 'GET', shape: openaiShape, access: 'open', owns: 'none', work: false } as const;

const workerRoute = { ...common, paths: ['/ui/service-worker.js'] } as const;

const workerHeaders = {
  'cache-control': 'no-cache',
  'content-security-policy': workerPolicy,
  // From where it lies: it serves the page above it, wherever that is mounted.
  'service-worker-allowed': '../',
};

/** The caches have the names that src/ui/worker gives them. */
const noWorker = `addEventListener('install', () => skipWaiting());
addEventListener('activate', (event) => event.waitUntil(leave()));
async function leave() {
  for (const name of await caches.keys())
    if (name.startsWith('serve-model ' + registration.scope + ' ')) await caches.delete(name);
  await registration.unregister();
}
`;

/** The files of the chat page. Anyone may read them: the page asks for the key itself. */
export function pageRoutes(page: PageFiles): Route[] {
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
      paths: ['/ui/icon.svg', '/ui/icon-192.png', '/ui/icon-512.png', '/ui/icon-filled-512.png', '/ui/LICENSES.txt'],
      handle: (exchange) => file(exchange, exchange.path.split('/').at(-1) ?? '', { 'cache-control': 'no-cache' }),
    },
    { ...workerRoute, handle: (exchange) => file(exchange, 'service-worker.js', workerHeaders) },
  ];
}

/** For browsers that have kept the page of an earlier start: where there is none any more, they forget it. */
export const noPageRoutes: Route[] = [
  {
    ...workerRoute,
    handle: () =>
      new Response(noWorker, { headers: { ...workerHeaders, 'content-type': 'text/javascript; charset=utf-8' } }),
  },
];

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
  // Mounted under a prefix and asked for without the slash after it: to a browser that is one level above.
  const html = new TextDecoder().decode(await file.read('identity'));
  return new Response(html.replaceAll('"./ui/', `"./${encodeURIComponent(last)}/ui/`), {
    headers: { ...headers, 'content-type': file.type },
  });
}
