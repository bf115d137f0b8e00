import { fromBase64, toBase64 } from '../chats/base64.ts';
import type { PortableChat, PortableFiles } from '../chats/exchange/own.ts';
import { hashesOf } from '../chats/message.ts';
import type { ChatStore } from '../chats/store.ts';
import type { EntryKeeper } from './entry-keeper.ts';
import type { Environment } from './environment.ts';
import type { KnownChats } from './known-chats.ts';

/** What chats come out of, and go into. */
export interface ChatParts {
  readonly store: ChatStore;
  readonly keeper: EntryKeeper;
  readonly known: KnownChats;
  readonly environment: Pick<Environment, 'hash'>;
}

/** Everything of these chats, for a file; also what the store would not take. */
export async function portableChats({ store, keeper }: ChatParts, ids: readonly string[]): Promise<PortableChat[]> {
  const chats: PortableChat[] = [];
  for (const id of ids) chats.push({ id, entries: [...(await store.read(id)), ...keeper.refusedOf(id)] });
  return chats;
}

/** The files that their messages refer to, as base64. What is not kept any more is left out. */
export async function portableFiles({ store }: ChatParts, chats: readonly PortableChat[]): Promise<PortableFiles> {
  const files: Record<string, string> = {};
  const messages = chats.flatMap(({ entries }) =>
    entries.flatMap((entry) => ('message' in entry ? [entry.message] : [])),
  );
  for (const hash of new Set(messages.flatMap(hashesOf))) {
    const bytes = await store.file(hash);
    if (bytes) files[hash] = await toBase64(bytes);
  }
  return files;
}

/** To be kept before the chats that refer to them. What is not what its name says is left out. */
export async function takeFiles({ store, environment }: ChatParts, files: PortableFiles): Promise<void> {
  for (const [hash, text] of Object.entries(files)) {
    const bytes = fromBase64(text);
    if ((await environment.hash(bytes)) === hash) await store.keepFile(hash, bytes);
  }
}

/** Adds what is not there yet. Rejects with what the store says of the first that it cannot keep. */
export async function takeChats({ store, known }: ChatParts, chats: readonly PortableChat[]): Promise<void> {
  for (const { id, entries } of chats) {
    await store.append(id, entries);
    known.merge(id, entries);
  }
  await known.relist();
}
