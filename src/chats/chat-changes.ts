import type { ChatChange } from '../contract/chats.ts';

/** What a reader that does not read may leave in memory; then it is cut off and comes anew. */
const mostWaiting = 1000;

interface Reader {
  readonly owners: ReadonlySet<string>;
  /** The last change of each chat: what came before it says nothing more. */
  readonly waiting: Map<string, ChatChange>;
  over: boolean;
  wake: () => void;
}

/** Hands every change to those who may know of it. */
export class ChatChanges {
  readonly #readers = new Set<Reader>();

  /** Whose changes somebody waits for. */
  get watched(): ReadonlySet<string> {
    return new Set([...this.#readers].flatMap(({ owners }) => [...owners]));
  }

  publish(owner: string, change: ChatChange): void {
    for (const reader of this.#readers) {
      if (!reader.owners.has(owner)) continue;
      reader.waiting.delete(change.chatId);
      reader.waiting.set(change.chatId, change);
      if (reader.waiting.size > mostWaiting) this.#end(reader);
      reader.wake();
    }
  }

  /** From now on, and not from the first read: nothing that happens in between may be missed. */
  subscribe(owners: ReadonlySet<string>, signal: AbortSignal): AsyncIterable<ChatChange> {
    const reader: Reader = { owners, waiting: new Map(), over: signal.aborted, wake: () => undefined };
    const end = () => this.#end(reader);
    if (!reader.over) this.#readers.add(reader);
    signal.addEventListener('abort', end, { once: true });
    return this.#read(reader, () => {
      signal.removeEventListener('abort', end);
      end();
    });
  }

  close(): void {
    for (const reader of [...this.#readers]) this.#end(reader);
  }

  async *#read(reader: Reader, left: () => void): AsyncGenerator<ChatChange> {
    try {
      for (;;) {
        const [next] = reader.waiting;
        if (next) {
          reader.waiting.delete(next[0]);
          yield next[1];
        } else if (reader.over) return;
        else
          await new Promise<void>((resolve) => {
            reader.wake = resolve;
          });
      }
    } finally {
      left();
    }
  }

  #end(reader: Reader): void {
    reader.over = true;
    this.#readers.delete(reader);
    reader.wake();
  }
}
