/**
 * Shows the page while its server does not answer: the page itself finds the server again. Keeps what the first load is
 * made of and what was fetched of the page since, never an answer of the API. The build puts `build` in, which another
 * build of the page has another one of; so a browser sees that this file has changed, and takes the new one.
 */
export {};

declare const self: ServiceWorkerGlobalScope;
declare const build: string;

/** Where the page lies, with a slash at its end. */
const page = self.registration.scope;
const assets = `${page}ui/assets/`;
/** One origin may have several servers, each under its prefix. */
const mine = `serve-model ${page} `;
const cacheName = mine + build;
/** A server that is asleep or away says nothing; the page from here is the same. */
const patienceMs = 5000;

/** Asked for in another way it is the same. */
const anyForm = { ignoreVary: true };

/** Not all browsers have it. */
interface InstallEvent extends ExtendableEvent {
  addRoutes?(rule: { condition: { requestDestination: string }; source: 'network' }): Promise<void>;
}

self.addEventListener('install', (event) => {
  event.waitUntil(Promise.all([keepPage(), self.skipWaiting(), passBy(event)]));
});

self.addEventListener('activate', (event) => {
  event.waitUntil(Promise.all([forgetOthers(), self.registration.navigationPreload.enable(), self.clients.claim()]));
});

/** A page tells what it has fetched: a language, and the like. */
self.addEventListener('message', (event) => {
  const told: unknown[] = Array.isArray(event.data) ? event.data : [];
  const urls = told.filter((url): url is string => typeof url === 'string' && url.startsWith(assets));
  event.waitUntil(keepMissing(urls));
});

self.addEventListener('fetch', (event) => {
  const { method, mode, url } = event.request;
  if (method !== 'GET') return;
  if (mode === 'navigate' && url.replace(/[?#].*$/, '') === page) event.respondWith(pageFor(event));
  else if (url.startsWith(assets)) event.respondWith(asset(event));
});

/** The document, and what it names: the first load. */
async function keepPage(): Promise<void> {
  const cache = await caches.open(cacheName);
  const response = await fetch(page, { headers: { accept: 'text/html' }, cache: 'no-cache' });
  // What stands in front of the server may answer in its place.
  if (!response.ok || response.redirected) throw new Error(`The page has the status ${response.status}.`);
  const named = [...(await response.clone().text()).matchAll(/"\.\/(ui\/assets\/[^"]+)"/g)];
  await cache.addAll(named.map(([, path = '']) => page + path));
  await cache.put(page, response);
}

/** Calls of the API start no worker and go through none, where a browser can be told so. */
async function passBy(event: InstallEvent): Promise<void> {
  try {
    await event.addRoutes?.({ condition: { requestDestination: '' }, source: 'network' });
  } catch {
    // They go through it untouched.
  }
}

async function keepMissing(urls: readonly string[]): Promise<void> {
  const cache = await caches.open(cacheName);
  for (const url of urls) if (!(await cache.match(url, anyForm))) await cache.add(url);
}

async function forgetOthers(): Promise<void> {
  const others = (await caches.keys()).filter((name) => name.startsWith(mine) && name !== cacheName);
  await Promise.all(others.map((name) => caches.delete(name)));
}

/** From the server, which has it newer; from here where it does not answer. */
async function pageFor(event: FetchEvent): Promise<Response> {
  const answered = fromServer(event);
  const first = await Promise.race([answered.catch(() => undefined), later(patienceMs)]);
  return first ?? (await kept(page)) ?? answered;
}

async function fromServer(event: FetchEvent): Promise<Response> {
  const begun: Response | undefined = await event.preloadResponse;
  return begun ?? fetch(event.request);
}

/** Names of assets are made of their content: what lies here is what the server has. */
async function asset(event: FetchEvent): Promise<Response> {
  const known = await kept(event.request.url);
  if (known) return known;
  const response = await fetch(event.request);
  if (response.ok) {
    const copy = response.clone();
    event.waitUntil(caches.open(cacheName).then((cache) => cache.put(event.request.url, copy)));
  }
  return response;
}

async function kept(url: string): Promise<Response | undefined> {
  const cache = await caches.open(cacheName);
  return cache.match(url, anyForm);
}

function later(milliseconds: number): Promise<undefined> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds, undefined));
}
