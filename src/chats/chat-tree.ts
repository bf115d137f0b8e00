import type { ChatEntry } from '../contract/chats.ts';
import { messageText } from './message-text.ts';

interface Node {
  readonly parent: string | null;
  readonly time: number;
  role: string;
  text: string;
  files: readonly string[];
}

/** What stands in the list of chats. */
export interface TreeFacts {
  readonly title: string | null;
  readonly preview: string | null;
  readonly pinned: boolean;
  readonly head: string | null;
  /** Of the last message, unix milliseconds; undefined: there is none. */
  readonly updated: number | undefined;
  readonly messages: number;
}

const previewLength = 120;

/** What the entries of a chat come to, taken one by one. */
export class ChatTree {
  readonly #nodes = new Map<string, Node>();
  readonly #deleted = new Set<string>();
  #title: string | null = null;
  #pinned = false;
  #head: string | null = null;

  has(message: string): boolean {
    return this.#nodes.has(message);
  }

  apply(entry: ChatEntry): void {
    switch (entry.type) {
      case 'message': {
        const { parent, time, message, files = [] } = entry;
        const role = typeof message.role === 'string' ? message.role : '';
        this.#nodes.set(entry.entry_id, { parent, time, role, text: messageText(message), files });
        return;
      }
      case 'edit': {
        const node = this.#nodes.get(entry.target);
        if (!node) return;
        node.text = messageText(entry.message);
        node.files = entry.files ?? [];
        return;
      }
      case 'title':
        this.#title = entry.title;
        return;
      case 'pin':
        this.#pinned = entry.pinned;
        return;
      case 'settings':
        return;
      case 'head':
        this.#head = entry.head;
        return;
      case 'delete':
        if (entry.deleted) this.#deleted.add(entry.target);
        else this.#deleted.delete(entry.target);
        return;
      default:
        entry satisfies never;
    }
  }

  facts(): TreeFacts {
    const shown = this.#shown();
    const first = shown.find(({ role, text }) => role === 'user' && text !== '');
    return {
      title: this.#title,
      preview: first ? first.text.slice(0, previewLength) : null,
      pinned: this.#pinned,
      head: this.#head,
      updated: shown.reduce<number | undefined>((latest, { time }) => Math.max(latest ?? 0, time), undefined),
      messages: shown.length,
    };
  }

  /** All that can be searched for. */
  text(): string {
    return this.#shown()
      .map(({ text }) => text)
      .join('\n');
  }

  /** Deleted messages keep theirs: the deletion may be taken back. */
  files(): ReadonlySet<string> {
    return new Set([...this.#nodes.values()].flatMap(({ files }) => files));
  }

  #shown(): Node[] {
    const hidden = new Set<string>();
    // A message stands behind its parent, so one pass is enough.
    for (const [id, { parent }] of this.#nodes)
      if (this.#deleted.has(id) || (parent !== null && hidden.has(parent))) hidden.add(id);
    return [...this.#nodes].filter(([id]) => !hidden.has(id)).map(([, node]) => node);
  }
}
