import type { ChatPartAnswer } from '../../dialects/chats/answers.ts';
import type { ChatEntry } from './entries.ts';
import { hashesOf, type Message, textOf } from './message.ts';
import { readMessage } from './read-message.ts';

export type WireEntry = ChatPartAnswer['entries'][number];

/** An entry as `/api/chats` takes it. There a message is known by the id of the entry that brought it. */
export function writeEntry(entry: ChatEntry): object {
  const { entry_id, time } = entry;
  switch (entry.type) {
    case 'message':
      return {
        entry_id: entry.message.id,
        time,
        type: 'message',
        parent: entry.message.parent,
        message: written(entry.message),
        ...files(entry.message),
      };
    case 'edit':
      return {
        entry_id,
        time,
        type: 'edit',
        target: entry.message.id,
        message: written(entry.message),
        ...files(entry.message),
      };
    case 'title':
      return { entry_id, time, type: 'title', title: entry.title };
    case 'pin':
      return { entry_id, time, type: 'pin', pinned: entry.pinned };
    case 'settings':
      return { entry_id, time, type: 'settings', settings: entry.settings };
    case 'head':
      return { entry_id, time, type: 'head', head: entry.head };
    case 'delete':
      return { entry_id, time, type: 'delete', target: entry.target, deleted: true };
    default:
      return entry satisfies never;
  }
}

/** What is no message of ours is shown as far as it has text. */
export function readEntry(wire: WireEntry): readonly ChatEntry[] {
  const time = wire.time ?? 0;
  const base = { entry_id: wire.entry_id, time };
  switch (wire.type) {
    case 'message':
      return [
        {
          ...base,
          type: 'message',
          message: readMessage(wire.message, { id: wire.entry_id, parent: wire.parent, time }),
        },
      ];
    case 'edit':
      return [{ ...base, type: 'edit', message: readMessage(wire.message, { id: wire.target, parent: null, time }) }];
    case 'title':
      return [{ ...base, type: 'title', title: wire.title, by: 'person' }];
    case 'pin':
      return [{ ...base, type: 'pin', pinned: wire.pinned }];
    case 'settings':
      return [{ ...base, type: 'settings', settings: wire.settings }];
    case 'head':
      return wire.head === null ? [] : [{ ...base, type: 'head', head: wire.head }];
    case 'delete':
      return wire.deleted ? [{ ...base, type: 'delete', target: wire.target }] : [];
    default:
      return wire satisfies never;
  }
}

/** What the store must not let go of while the message is there. */
function files(message: Message): { readonly files?: readonly string[] } {
  const hashes = hashesOf(message);
  return hashes.length > 0 ? { files: hashes } : {};
}

/** `content` is what the server searches, and what other clients read. */
function written({ id: _, parent: __, blocks, ...rest }: Message): Record<string, never> {
  const [only] = blocks;
  const plain = blocks.length === 0 || (blocks.length === 1 && only?.kind === 'text');
  const message = { ...rest, content: textOf({ blocks }), ...(!plain && { blocks }) };
  // Through JSON as it goes out: members that are undefined are not there.
  return JSON.parse(JSON.stringify(message));
}
