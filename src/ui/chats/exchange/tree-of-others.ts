import type { ChatEntry } from '../entries.ts';
import type { AttachedText, Block, Message } from '../message.ts';
import type { PortableChat } from './own.ts';

/** A message of another program. */
export interface OtherMessage {
  readonly id: string;
  /** Undefined or unknown: a first one. */
  readonly parent: string | undefined;
  readonly role: string;
  readonly blocks: readonly Block[];
  readonly files: readonly AttachedText[];
  readonly model: string | undefined;
  /** Unix milliseconds. */
  readonly time: number;
}

export interface OtherChat {
  readonly id: string;
  readonly title: string;
  readonly pinned: boolean;
  /** The last message of what was shown. */
  readonly head: string | undefined;
  readonly messages: readonly OtherMessage[];
}

const chatId = /^[a-z0-9][a-z0-9_-]{7,63}$/;
const entryId = /^[A-Za-z0-9_-]{1,64}$/;

/**
 * Ids stay where the server takes them, so that the same file twice is the same chats. What is neither said by a person
 * nor by a model (system prompts, results of tools) is left out, and what followed it follows what was before it.
 */
export function portable(chat: OtherChat, newId: () => string): PortableChat {
  const byId = new Map(chat.messages.map((message) => [message.id, message]));
  const ids = new Map(chat.messages.map(({ id }) => [id, entryId.test(id) ? id : newId()]));
  const isShown = ({ role }: OtherMessage) => role === 'user' || role === 'assistant';
  const shownFrom = (id: string | undefined): string | undefined => {
    const seen = new Set<string>();
    let message = id === undefined ? undefined : byId.get(id);
    while (message && !isShown(message) && !seen.has(message.id)) {
      seen.add(message.id);
      message = message.parent === undefined ? undefined : byId.get(message.parent);
    }
    return message && isShown(message) ? message.id : undefined;
  };
  const own = (id: string | undefined) => (id === undefined ? null : (ids.get(id) ?? null));
  const entries: ChatEntry[] = parentsFirst(chat.messages.filter(isShown), shownFrom).map((message) => ({
    entry_id: own(message.id) ?? newId(),
    time: message.time,
    type: 'message',
    message: toMessage(message, own(message.id) ?? newId(), own(shownFrom(message.parent))),
  }));
  const time = chat.messages.at(-1)?.time ?? 0;
  const id = chatId.test(chat.id) ? chat.id : newId();
  const head = own(shownFrom(chat.head));
  return {
    id,
    entries: [
      ...entries,
      ...(chat.title === ''
        ? []
        : [{ entry_id: `${id}-t`.slice(-64), time, type: 'title', title: chat.title, by: 'person' } as const]),
      ...(chat.pinned ? [{ entry_id: `${id}-p`.slice(-64), time, type: 'pin', pinned: true } as const] : []),
      ...(head === null ? [] : [{ entry_id: `${id}-h`.slice(-64), time, type: 'head', head } as const]),
    ],
  };
}

/** What an entry names has to stand before it. */
function parentsFirst(
  messages: readonly OtherMessage[],
  shownFrom: (id: string | undefined) => string | undefined,
): OtherMessage[] {
  const children = new Map<string | undefined, OtherMessage[]>();
  for (const message of messages) {
    const parent = shownFrom(message.parent);
    children.set(parent, [...(children.get(parent) ?? []), message]);
  }
  const ordered = [...(children.get(undefined) ?? [])];
  for (const { id } of ordered) ordered.push(...(children.get(id) ?? []));
  return ordered;
}

function toMessage({ role, blocks, files, model, time }: OtherMessage, id: string, parent: string | null): Message {
  const base = { id, parent, time, blocks };
  if (role === 'user') return { ...base, role: 'user', ...(files.length > 0 && { files }) };
  return { ...base, role: 'assistant', outcome: 'stop', ...(model !== undefined && { model }) };
}
