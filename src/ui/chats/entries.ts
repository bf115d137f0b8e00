import type { Message } from './message.ts';

/**
 * What happens to a chat, one after the other; a chat is nothing but its entries. Messages form a tree, so two writers
 * never contradict each other; of titles, pins, settings and heads the last one counts. The same entry twice counts once.
 */
export type ChatEntry = { readonly entry_id: string; readonly time: number } & (
  | { readonly type: 'message'; readonly message: Message }
  /** The message as it is from now on: continued, or changed by hand. */
  | { readonly type: 'edit'; readonly message: Message }
  | { readonly type: 'title'; readonly title: string; readonly by: 'person' | 'page' }
  | { readonly type: 'pin'; readonly pinned: boolean }
  /** How it is to be gone on with. */
  | { readonly type: 'settings'; readonly settings: ChatSettings }
  /** The last message of what is shown. */
  | { readonly type: 'head'; readonly head: string }
  /** A message, and with it all that follows it. */
  | { readonly type: 'delete'; readonly target: string }
);

/** By the part of the page that has chosen them. What another page has written stays, whatever it is. */
export type ChatSettings = Readonly<Record<string, unknown>>;

export interface ChatSummary {
  readonly id: string;
  readonly title: string;
  readonly pinned: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
}
