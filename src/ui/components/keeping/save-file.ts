import { writeChats } from '../../chats/exchange/own.ts';
import { type ChatParts, portableChats, portableFiles } from '../../state/portable.ts';

/** Gives chats to whoever sits before the page, as a file. */
export async function saveFile(parts: ChatParts, ids: readonly string[], now: number): Promise<void> {
  const all = await portableChats(parts, ids);
  const file = new Blob([writeChats(all, await portableFiles(parts, all))], { type: 'application/json' });
  const link = document.createElement('a');
  link.href = URL.createObjectURL(file);
  link.download = `chats-${new Date(now).toISOString().slice(0, 10)}.json`;
  link.click();
  // The browser has its own hold on it by then.
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
