import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';
import { chatLimits, openChatStore } from '../../src/chats/chat-store.ts';
import type { ChatEntry, ChatLimits, ChatQuery, ChatStore } from '../../src/contract/chats.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { systemTimers } from '../../src/contract/system-timers.ts';

const folders: string[] = [];

export async function emptyFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'serve-model-chats-'));
  folders.push(folder);
  return folder;
}

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});

export interface TestStore {
  readonly store: ChatStore;
  readonly folder: string;
  readonly failures: unknown[];
  /** Moves the time, which begins with the system's. */
  pass(milliseconds: number): void;
}

/** A store of its own process, as far as the store can tell. */
export async function openStore(at?: string, limits: Partial<ChatLimits> = {}): Promise<TestStore> {
  const folder = at ?? (await emptyFolder());
  const failures: unknown[] = [];
  let ahead = 0;
  let ids = 0;
  const store = await openChatStore(folder, {
    limits: { ...chatLimits, ...limits },
    now: () => Date.now() + ahead,
    clock: () => performance.now(),
    timers: systemTimers,
    newId: () => `chat-${String(++ids).padStart(8, '0')}`,
    failed: (error) => failures.push(error),
  });
  return {
    store,
    folder,
    failures,
    pass: (milliseconds) => {
      ahead += milliseconds;
    },
  };
}

export const everybody = { owner: '', sees: () => true };
export const person = (owner: string) => ({ owner, sees: (other: string) => other === owner });
export const chief = { owner: 'chief', sees: () => true };

export const all: ChatQuery = { words: [], limit: 50, bin: false };

let times = 1_700_000_000_000;

/** A message of a user, or of whom `more` says. */
export function said(
  id: string,
  parent: string | null,
  content: unknown = id,
  more: { readonly role?: string; readonly files?: readonly string[]; readonly time?: number } = {},
): ChatEntry {
  const { role = 'user', files, time = ++times } = more;
  const message = { role, content: content as string };
  return { entry_id: id, time, type: 'message', parent, message, ...(files && { files }) };
}

export const titled = (id: string, title: string): ChatEntry => ({ entry_id: id, time: ++times, type: 'title', title });
export const pinned = (id: string, isPinned = true): ChatEntry => ({
  entry_id: id,
  time: ++times,
  type: 'pin',
  pinned: isPinned,
});
export const chosen = (id: string, settings: JsonObject): ChatEntry => ({
  entry_id: id,
  time: ++times,
  type: 'settings',
  settings,
});
export const left = (id: string, head: string | null): ChatEntry => ({
  entry_id: id,
  time: ++times,
  type: 'head',
  head,
});
export const edited = (id: string, target: string, content: string): ChatEntry => ({
  entry_id: id,
  time: ++times,
  type: 'edit',
  target,
  message: { role: 'user', content },
});
export const deletion = (id: string, target: string, isDeleted = true): ChatEntry => ({
  entry_id: id,
  time: ++times,
  type: 'delete',
  target,
  deleted: isDeleted,
});
