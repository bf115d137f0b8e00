import type { BlockEvent, BlockKind } from '../contract/events.ts';

/** Puts events in order: opens blocks when their first text comes, closes one before the next, joins adjacent pieces. */
export class BlockWriter {
  #events: BlockEvent[] = [];
  #index = -1;
  #open: BlockKind | undefined;
  #pending = '';
  #count = 0;

  /** The kind of the block that is open now. */
  get open(): BlockKind | undefined {
    return this.#open;
  }

  /** Blocks begun so far. */
  get count(): number {
    return this.#count;
  }

  text(text: string): void {
    this.#write('text', text);
  }

  reasoning(text: string): void {
    this.#write('reasoning', text);
  }

  startCall(id: string, name: string): void {
    this.close();
    this.#begin('tool-call');
    this.#events.push({ type: 'block-start', index: this.#index, kind: 'tool-call', id, name });
  }

  /** A piece of the open call's arguments, JSON text. */
  arguments(text: string): void {
    this.#pending += text;
  }

  close(): void {
    if (this.#open === undefined) return;
    this.#flush();
    this.#events.push({ type: 'block-end', index: this.#index });
    this.#open = undefined;
  }

  /** The events since the last take. */
  take(): BlockEvent[] {
    this.#flush();
    const events = this.#events;
    this.#events = [];
    return events;
  }

  #write(kind: 'text' | 'reasoning', text: string): void {
    if (text === '') return;
    if (this.#open !== kind) {
      this.close();
      this.#begin(kind);
      this.#events.push({ type: 'block-start', index: this.#index, kind });
    }
    this.#pending += text;
  }

  #begin(kind: BlockKind): void {
    this.#index++;
    this.#count++;
    this.#open = kind;
  }

  #flush(): void {
    if (this.#pending === '') return;
    this.#events.push({ type: 'block-delta', index: this.#index, delta: this.#pending });
    this.#pending = '';
  }
}
