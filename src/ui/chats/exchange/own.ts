import { member } from '../../api/failure.ts';
import type { ChatEntry } from '../entries.ts';
import { readEntry, type WireEntry, writeEntry } from '../wire-entries.ts';

/** A chat outside of any store. */
export interface PortableChat {
  readonly id: string;
  readonly entries: readonly ChatEntry[];
}

/** Files that messages refer to, by their SHA-256, as base64. */
export type PortableFiles = Readonly<Record<string, string>>;

export const ownFormat = 'serve-model.chats';

/** Chats as text, each as `POST /api/chats` takes it. */
export function writeChats(chats: readonly PortableChat[], files: PortableFiles = {}): string {
  const told = chats.map(({ id, entries }) => ({ chat_id: id, entries: entries.map(writeEntry) }));
  const some = Object.keys(files).length > 0 && { files };
  return `${JSON.stringify({ format: ownFormat, version: 1, ...some, chats: told }, undefined, 1)}\n`;
}

/** Only what has the name of a hash and could be bytes. */
export function readFiles(value: unknown): PortableFiles {
  const files = member(value, 'files');
  if (member(value, 'format') !== ownFormat || typeof files !== 'object' || files === null) return {};
  return Object.fromEntries(
    Object.entries(files).filter(
      ([hash, bytes]) => /^[0-9a-f]{64}$/.test(hash) && typeof bytes === 'string' && /^[A-Za-z0-9+/]*=*$/.test(bytes),
    ),
  );
}

export function readOwn(value: unknown): PortableChat[] {
  const chats = member(value, 'chats');
  if (!Array.isArray(chats)) return [];
  return chats.flatMap((chat: unknown) => {
    const id = member(chat, 'chat_id');
    const entries = member(chat, 'entries');
    if (typeof id !== 'string' || !Array.isArray(entries)) return [];
    return [{ id, entries: entries.filter(isEntry).flatMap(readEntry) }];
  });
}

function isEntry(value: unknown): value is WireEntry {
  const type = member(value, 'type');
  if (typeof member(value, 'entry_id') !== 'string') return false;
  if (type === 'message' || type === 'edit') return typeof member(value, 'message') === 'object';
  return type === 'title' || type === 'pin' || type === 'head' || type === 'delete';
}
