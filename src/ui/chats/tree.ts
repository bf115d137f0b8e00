import type { ChatEntry, ChatSettings } from './entries.ts';
import { type AssistantMessage, type Message, textOf } from './message.ts';

/** A chat as its entries tell it. Never changed: what happens next makes a new one. */
export interface Chat {
  readonly id: string;
  readonly title: string;
  /** A person chose the title; it is not made of what is said any more. */
  readonly named: boolean;
  readonly pinned: boolean;
  /** Empty: nothing was chosen for this chat. */
  readonly settings: ChatSettings;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly head: string | null;
  readonly messages: ReadonlyMap<string, Message>;
  /** Parent -> its children in the order of their coming; '' for the first ones. */
  readonly children: ReadonlyMap<string, readonly string[]>;
  readonly seen: ReadonlySet<string>;
}

export function emptyChat(id: string, time: number): Chat {
  const nothing = { settings: {}, messages: new Map(), children: new Map(), seen: new Set<string>() };
  return { id, title: '', named: false, pinned: false, createdAt: time, updatedAt: time, head: null, ...nothing };
}

/** The chat after these entries, in their order. */
export function foldEntries(before: Chat, entries: readonly ChatEntry[]): Chat {
  const messages = new Map(before.messages);
  const children = new Map(before.children);
  const seen = new Set(before.seen);
  let chat = before;
  for (const entry of entries) {
    if (seen.has(entry.entry_id)) continue;
    seen.add(entry.entry_id);
    // The server knows a message's entry by the message: given back, it must not undo what was edited since.
    if (entry.type === 'message') seen.add(entry.message.id);
    chat = { ...chat, updatedAt: Math.max(chat.updatedAt, entry.time) };
    switch (entry.type) {
      case 'message':
        if (addMessage(messages, children, entry.message)) chat = { ...chat, head: entry.message.id };
        break;
      case 'edit':
        addMessage(messages, children, entry.message);
        break;
      case 'title':
        chat = { ...chat, title: entry.title, named: entry.by === 'person' };
        break;
      case 'pin':
        chat = { ...chat, pinned: entry.pinned };
        break;
      case 'settings':
        chat = { ...chat, settings: entry.settings };
        break;
      case 'head':
        if (messages.has(entry.head)) chat = { ...chat, head: entry.head };
        break;
      case 'delete':
        chat = { ...chat, head: removeMessage(messages, children, entry.target, chat.head) };
        break;
      default:
        entry satisfies never;
    }
  }
  return { ...chat, messages, children, seen };
}

/** What is shown: from the first message to the head. */
export function pathOf(chat: Chat, head: string | null = chat.head): Message[] {
  const path: Message[] = [];
  let next = head === null ? undefined : chat.messages.get(head);
  while (next) {
    path.unshift(next);
    next = next.parent === null ? undefined : chat.messages.get(next.parent);
  }
  return path;
}

/** The versions of a message, itself included, in the order of their coming. */
export function versionsOf(chat: Chat, message: Pick<Message, 'parent'>): readonly string[] {
  return chat.children.get(message.parent ?? '') ?? [];
}

/** So many stand side by side. */
const mostCompared = 8;

/** The answers to a message that are shown together: the latest ones. */
export function comparedAnswers(chat: Chat, question: string): AssistantMessage[] {
  const answers = (chat.children.get(question) ?? []).flatMap((id) => {
    const message = chat.messages.get(id);
    return message?.role === 'assistant' ? [message] : [];
  });
  return answers.slice(-mostCompared);
}

/** Where a chat goes on below a message: the latest child, again and again. */
export function latestBelow(chat: Chat, id: string): string {
  let latest = id;
  for (let next: string | undefined = id; next !== undefined; next = chat.children.get(latest)?.at(-1)) latest = next;
  return latest;
}

/** The first words of the first message that a person wrote. */
export function titleFrom(text: string): string {
  const line = text.trim().replace(/\s+/g, ' ');
  const characters = [...line];
  if (characters.length <= 60) return line;
  const cut = characters.slice(0, 60).join('');
  const word = cut.lastIndexOf(' ');
  return `${word > 30 ? cut.slice(0, word) : cut}…`;
}

/** Everything that can be looked for, in one text. */
export function searchText(chat: Chat): string {
  return [chat.title, ...[...chat.messages.values()].map(textOf)].join('\n');
}

/**
 * Whether it was not there before. One whose parent is not there is a first one, and where a message stands does not change
 * any more: so nothing that a file says makes a circle.
 */
function addMessage(
  messages: Map<string, Message>,
  children: Map<string, readonly string[]>,
  message: Message,
): boolean {
  const known = messages.get(message.id);
  const parent = known ? known.parent : messages.has(message.parent ?? '') ? message.parent : null;
  messages.set(message.id, { ...message, parent });
  if (!known) children.set(parent ?? '', [...(children.get(parent ?? '') ?? []), message.id]);
  return known === undefined;
}

/** Gives the head that is left. */
function removeMessage(
  messages: Map<string, Message>,
  children: Map<string, readonly string[]>,
  target: string,
  head: string | null,
): string | null {
  const message = messages.get(target);
  if (!message) return head;
  const below = [target];
  for (const id of below) below.push(...(children.get(id) ?? []));
  for (const id of below) {
    messages.delete(id);
    children.delete(id);
  }
  const parent = message.parent ?? '';
  const siblings = (children.get(parent) ?? []).filter((id) => id !== target);
  children.set(parent, siblings);
  if (head !== null && messages.has(head)) return head;
  let next = siblings.at(-1) ?? message.parent;
  while (next !== null && next !== undefined) {
    const child: string | undefined = children.get(next)?.at(-1);
    if (child === undefined) return next;
    next = child;
  }
  return null;
}
