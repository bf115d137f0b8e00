import type { ChatList, ChatQuery, ChatSummary, FoundChat } from '../contract/chats.ts';
import { ServeError } from '../contract/errors.ts';
import type { OwnerFolder } from './owner-folder.ts';
import { fold } from './text-cache.ts';

interface Row {
  readonly folder: OwnerFolder;
  readonly summary: ChatSummary;
}

/** How long a search may keep the thread that also sends the tokens of others. */
const turnMs = 5;

/** A page of the chats that lie in these folders. */
export async function listChats(
  folders: readonly OwnerFolder[],
  query: ChatQuery,
  clock: () => number,
): Promise<ChatList> {
  const rows = (await Promise.all(folders.map((folder) => rowsOf(folder, query.bin)))).flat().toSorted(inOrder);
  const begin = query.cursor === undefined ? 0 : rows.findIndex(behind(query.cursor));
  const rest = begin === -1 ? [] : rows.slice(begin);
  const words = query.words.map(fold);
  const chats: FoundChat[] = [];
  let since = clock();
  for (const row of rest) {
    if (chats.length === query.limit) return { chats, nextCursor: cursorOf(chats.at(-1)) };
    const found = words.length === 0 ? row.summary : await match(row, words);
    if (found) chats.push(found);
    if (words.length === 0 || clock() - since < turnMs) continue;
    await new Promise((resolve) => setImmediate(resolve));
    since = clock();
  }
  return { chats, nextCursor: null };
}

async function rowsOf(folder: OwnerFolder, bin: boolean): Promise<Row[]> {
  const summaries = bin ? await folder.bin() : (await folder.chats()).map(({ summary }) => summary);
  return summaries.map((summary) => ({ folder, summary }));
}

function inOrder({ summary: one }: Row, { summary: other }: Row): number {
  return (
    Number(other.pinned) - Number(one.pinned) ||
    (other.deleted ?? other.updated) - (one.deleted ?? one.updated) ||
    (one.chatId < other.chatId ? -1 : 1)
  );
}

/** Where a page ended: by what the order goes by, so that it stays a place while chats come and go. */
function cursorOf(last: ChatSummary | undefined): string | null {
  if (!last) return null;
  const place = [Number(last.pinned), last.deleted ?? last.updated, last.chatId].join(' ');
  return Buffer.from(place).toString('base64url');
}

function behind(cursor: string): (row: Row) => boolean {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, pinned, updated, chatId = ''] = /^([01]) (\d{1,16}) ([a-z0-9_-]+)$/.exec(text) ?? [];
  if (pinned === undefined)
    throw new ServeError(
      'invalid_request',
      '`cursor` is none that this server gave. Leave it out for the first page.',
      {
        param: 'cursor',
      },
    );
  return ({ summary }) => {
    const order =
      Number(pinned) - Number(summary.pinned) ||
      Number(updated) - (summary.deleted ?? summary.updated) ||
      (summary.chatId > chatId ? 1 : 0);
    return order > 0;
  };
}

async function match({ folder, summary }: Row, words: readonly string[]): Promise<FoundChat | undefined> {
  const title = fold(summary.title ?? '');
  const missing = words.filter((word) => !title.includes(word));
  if (missing.length === 0) return summary;
  const { shown, folded } = await folder.searchText(summary);
  const places = missing.map((word) => folded.indexOf(word));
  if (places.includes(-1)) return undefined;
  return { ...summary, snippet: snippetOf(shown, places[0] ?? 0) };
}

const around = 60;
/** Where a text is cut, half of a character may be left. */
const halfPair = /^[\udc00-\udfff]|[\ud800-\udbff]$/g;

function snippetOf(text: string, place: number): string {
  const begin = Math.max(0, place - around);
  const end = Math.min(text.length, place + 2 * around);
  const cut = text.slice(begin, end).replace(halfPair, '').replace(/\s+/g, ' ').trim();
  return `${begin > 0 ? '…' : ''}${cut}${end < text.length ? '…' : ''}`;
}
