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

/** As the server would take it. */
function isEntry(value: unknown): value is WireEntry {
  const has = (name: string, ...types: string[]) => types.includes(typeOf(member(value, name)));
  if (!has('entry_id', 'string') || !has('time', 'number', 'undefined')) return false;
  switch (member(value, 'type')) {
    case 'message':
      return has('message', 'object') && has('parent', 'string', 'null');
    case 'edit':
      return has('message', 'object') && has('target', 'string');
    case 'title':
      return has('title', 'string');
    case 'pin':
      return has('pinned', 'boolean');
    case 'settings':
      return has('settings', 'object');
    case 'head':
      return has('head', 'string', 'null');
    case 'delete':
      return has('target', 'string') && has('deleted', 'boolean', 'undefined');
    default:
      return false;
  }
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value;
}
