import type { ChatChangeEvent, ChatListAnswer, ChatPartAnswer } from '../../dialects/chats/answers.ts';
import type { ApiClient } from '../api/client.ts';
import { ApiFailure, isAway } from '../api/failure.ts';
import type { Listen } from '../state/environment.ts';
import type { Page } from '../state/page.ts';
import type { ChatEntry, ChatSummary } from './entries.ts';
import { type ChatStore, dropPartialsOf, type Unfinished } from './store.ts';
import { readEntry, writeEntry } from './wire-entries.ts';

type Partials = Pick<ChatStore, 'savePartial' | 'dropPartial' | 'partials'>;

export interface ServerStoreOptions {
  readonly api: ApiClient;
  /** Unfinished answers stay with the browser that asked for them. */
  readonly partials: Partials;
  readonly after: (milliseconds: number, callback: () => void) => void;
  /** Tells of changes that others made. */
  readonly follow: (listener: (id: string) => void) => () => void;
}

/** So many entries go in one request; the server takes a thousand. */
const mostEntries = 500;
const pageSize = 200;

/** Chats on the server: the same ones in every browser, at every port, and for a key on every device. */
export class ServerStore implements ChatStore {
  readonly #api: ApiClient;
  readonly #partials: Partials;
  readonly #follow: ServerStoreOptions['follow'];
  readonly #after: ServerStoreOptions['after'];
  /** What is done to a chat arrives in the order in which it was done. */
  readonly #writing = new Map<string, Promise<void>>();

  constructor({ api, partials, follow, after }: ServerStoreOptions) {
    this.#api = api;
    this.#partials = partials;
    this.#follow = follow;
    this.#after = after;
  }

  async list(): Promise<ChatSummary[]> {
    const chats = await this.#pages('');
    return chats.map(summaryOf).sort((left, right) => right.updatedAt - left.updatedAt);
  }

  async search(query: string) {
    if (query.trim() === '') return [];
    const found = await this.#pages(`q=${encodeURIComponent(query)}&`);
    return found.map((chat) => ({ id: chat.chat_id, excerpt: chat.snippet ?? '' }));
  }

  async read(id: string): Promise<ChatEntry[]> {
    const entries: ChatEntry[] = [];
    for (let after = ''; ; ) {
      const part = await this.#api
        .call<ChatPartAnswer>(`api/chats/${id}${after && `?after=${encodeURIComponent(after)}`}`)
        .catch(nothingThere);
      if (!part) return [];
      entries.push(...part.entries.flatMap(readEntry));
      if (!part.more) return entries;
      after = part.revision;
    }
  }

  append(id: string, entries: readonly ChatEntry[]): Promise<void> {
    return this.#inTurn(id, () => this.#send(id, entries.map(writeEntry)));
  }

  remove(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#api.call(`api/chats/${id}`, { method: 'DELETE' }).catch(nothingThere);
    });
  }

  restore(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#api.call(`api/chats/${id}/restore`, { method: 'POST' });
    });
  }

  wipe(id: string): Promise<void> {
    return this.#inTurn(id, async () => {
      await this.#api.call(`api/chats/${id}?forever=true`, { method: 'DELETE' }).catch(nothingThere);
      await dropPartialsOf(this, new Set([id]));
    });
  }

  async emptyBin(): Promise<number> {
    const ids = (await this.#pages('bin=true&')).map(({ chat_id }) => chat_id);
    const { deleted } = await this.#api.call<{ readonly deleted: number }>('api/chats/bin', { method: 'DELETE' });
    await dropPartialsOf(this, new Set(ids));
    return deleted;
  }

  async keepFile(sha256: string, bytes: Blob): Promise<void> {
    await this.#api.call(`api/chats/files/${sha256}`, { bytes });
  }

  file(sha256: string): Promise<Blob | undefined> {
    return this.#api.bytes(`api/chats/files/${sha256}`).catch(nothingThere);
  }

  savePartial(partial: Unfinished): Promise<void> {
    return this.#partials.savePartial(partial);
  }

  dropPartial(messageId: string): Promise<void> {
    return this.#partials.dropPartial(messageId);
  }

  partials(): Promise<Unfinished[]> {
    return this.#partials.partials();
  }

  subscribe(listener: (id: string) => void): () => void {
    return this.#follow(listener);
  }

  #inTurn(id: string, change: () => Promise<void>): Promise<void> {
    const before = this.#writing.get(id) ?? Promise.resolve();
    const done = before.catch(() => undefined).then(change);
    this.#writing.set(id, done);
    const forget = () => {
      if (this.#writing.get(id) === done) this.#writing.delete(id);
    };
    done.then(forget, forget);
    return done;
  }

  async #send(id: string, entries: readonly unknown[]): Promise<void> {
    for (let from = 0; from < entries.length; from += mostEntries) {
      const part = entries.slice(from, from + mostEntries);
      // Makes the chat, or adds to it: safe to repeat, as each entry counts once.
      await this.#untilHeard(() =>
        this.#api.call('api/chats', { body: { chat_id: id, entries: part }, keepalive: small(part) }),
      );
    }
  }

  /** What was said while the server was away is kept when it is back. */
  async #untilHeard(ask: () => Promise<unknown>): Promise<void> {
    for (;;) {
      try {
        await ask();
        return;
      } catch (failure) {
        if (!isAway(failure)) throw failure;
        await new Promise<void>((resolve) => this.#after(againMs, resolve));
      }
    }
  }

  async #pages(query: string): Promise<ChatListAnswer['chats']> {
    const chats: ChatListAnswer['chats'] = [];
    for (let cursor = ''; ; ) {
      const at = cursor && `&cursor=${encodeURIComponent(cursor)}`;
      const part = await this.#api.call<ChatListAnswer>(`api/chats?${query}limit=${pageSize}${at}`);
      chats.push(...part.chats);
      if (part.next_cursor === null) return chats;
      cursor = part.next_cursor;
    }
  }
}

/** Browsers let 64 kB of requests outlive their page. */
function small(value: unknown): boolean {
  return JSON.stringify(value).length < 30_000;
}

function summaryOf(chat: ChatListAnswer['chats'][number]): ChatSummary {
  return {
    id: chat.chat_id,
    title: chat.title ?? chat.preview ?? '',
    pinned: chat.pinned,
    createdAt: chat.created,
    updatedAt: chat.updated,
  };
}

function nothingThere(failure: unknown): undefined {
  if (failure instanceof ApiFailure && failure.status === 404) return undefined;
  throw failure;
}

const againMs = 2000;

/** Chats that others change, as the server tells of them. */
export function followChanges(listen: Listen, { api, server }: Pick<Page, 'api' | 'server'>) {
  return (listener: (id: string) => void): (() => void) =>
    listen(
      {
        api,
        unlocked: server.unlocked,
        path: 'api/chats/events',
        read: (event) => (event as Partial<ChatChangeEvent>).chat_id,
      },
      (id) => {
        if (typeof id === 'string') listener(id);
      },
    );
}
