import { writeChats } from '../../chats/exchange/own.ts';
import type { Chats } from '../../state/chats.ts';

/** Gives chats to whoever sits before the page, as a file. */
export async function saveFile(
  chats: Pick<Chats, 'portable' | 'portableFiles'>,
  ids: readonly string[],
  now: number,
): Promise<void> {
  const all = await chats.portable(ids);
  const file = new Blob([writeChats(all, await chats.portableFiles(all))], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `chats-${new Date(now).toISOString().slice(0, 10)}.json`;
  link.click();
  // The browser has its own hold on it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
