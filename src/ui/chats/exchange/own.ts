import { member } from '../../api/failure.ts';
import type { ChatEntry } from '../entries.ts';
import { readEntry, type WireEntry, writeEntry } from '../wire-entries.ts';

/** A chat outside of any store. */
export interface PortableChat {
  readonly id: string;
  readonly entries: readonly ChatEntry[];
}

export const ownFormat = 'serve-model.chats';

/** Chats as text, each as `POST /api/chats` takes it. */
export function writeChats(chats: readonly PortableChat[]): string {
  const told = chats.map(({ id, entries }) => ({ chat_id: id, entries: entries.map(writeEntry) }));
  return `${JSON.stringify({ format: ownFormat, version: 1, chats: told }, undefined, 1)}\n`;
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
