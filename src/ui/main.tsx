import { effect } from '@preact/signals';
import { render } from 'preact';
import { oneListener } from './api/one-listener.ts';
import { openIndexedDbStore } from './chats/indexed-db.ts';
import { memoryStore } from './chats/memory-store.ts';
import { followChanges, ServerStore } from './chats/server-store.ts';
import type { ChatStore } from './chats/store.ts';
import { withUnsaved } from './chats/unsaved.ts';
import { App } from './components/app.tsx';
import type { Environment } from './state/environment.ts';
import { createPage, type Page } from './state/page.ts';

/** At least as wide: the sidebar stands beside the chat. */
const wide = matchMedia('(min-width: 56rem)').matches;

/** What is fetched and kept then is in nobody's way. */
const shellAfterMs = 3000;

const environment: Environment = {
  base: base(),
  fetch: (...given) => fetch(...given),
  now: () => Date.now(),
  clock: () => performance.now(),
  newId,
  hash,
  local: storage(() => localStorage),
  session: storage(() => sessionStorage),
  onFrame(callback) {
    // A page that nobody sees gets no frames.
    if (document.visibilityState === 'visible') requestAnimationFrame(callback);
    else setTimeout(callback, 100);
  },
  after(milliseconds, callback) {
    const timer = setTimeout(callback, milliseconds);
    return () => clearTimeout(timer);
  },
  listen: (what, hear) => oneListener({ ...what, after: environment.after }, hear),
  languages: navigator.languages,
  wide,
};

const place = document.getElementById('page');
if (place) {
  const page = createPage(environment, openStore);
  // What is asked for comes while the page is drawn.
  void page.start();
  render(<App page={page} />, place);
  keepShell(page);
}

/** Once it is known whether the server is there, and the first load is over. Only secure contexts have workers. */
function keepShell(page: Page): void {
  if (!('serviceWorker' in navigator)) return;
  const first = navigator.serviceWorker.controller;
  const end = effect(() => {
    const phase = page.server.phase.value;
    if (phase === 'asking') return;
    queueMicrotask(() => end());
    environment.after(shellAfterMs, () => {
      void import('./offline/follow-worker.ts')
        .then(({ followWorker }) => followWorker(page, { alone: phase === 'gone', first }))
        // A browser that keeps no page (a private window, a certificate it does not trust) has one all the same.
        .catch(() => undefined);
    });
  });
}

/** On the server where it lets this caller, else in the browser. */
async function openStore(page: Pick<Page, 'api' | 'server'>): Promise<ChatStore> {
  return withUnsaved(await chosenStore(page), {
    storage: environment.session,
    onLeave: (callback) => addEventListener('pagehide', callback),
  });
}

async function chosenStore({ api, server }: Pick<Page, 'api' | 'server'>): Promise<ChatStore> {
  const [local, { chatStore }] = await Promise.all([browserStore(), server.known()]);
  if (!chatStore) return local;
  return new ServerStore({
    api,
    partials: local,
    follow: followChanges(environment.listen, { api, server }),
    after: environment.after,
  });
}

/** This file lies two folders below the page, wherever that is mounted. */
function base(): string {
  const here: string = import.meta.url;
  return new URL('../../', here).href;
}

/** A browser that keeps nothing (a private window may refuse) still chats. */
async function browserStore(): Promise<ChatStore> {
  try {
    return await openIndexedDbStore({ now: environment.now });
  } catch {
    return memoryStore(environment.now);
  }
}

/** Pages of other machines over plain http have no randomUUID. */
function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Nor have they digests. */
async function hash(bytes: Blob): Promise<string> {
  const whole = await bytes.arrayBuffer();
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (!subtle) return (await import('./chats/sha256.ts')).sha256(new Uint8Array(whole));
  const digest = new Uint8Array(await subtle.digest('SHA-256', whole));
  return [...digest].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Browsers may throw on the mere mention of a storage. */
function storage(find: () => Storage): Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> {
  try {
    return find();
  } catch {
    const kept = new Map<string, string>();
    return {
      getItem: (name) => kept.get(name) ?? null,
      setItem: (name, value) => void kept.set(name, value),
      removeItem: (name) => void kept.delete(name),
    };
  }
}
