import type { Frame } from '../../dialects/dialect.ts';
import type { WrittenFrame } from '../streams/frame-text.ts';

/** What a frame takes besides its text. */
const overhead = 100;

/**
 * The frames of a stream, for readers who come later. Each has a number, the first one 0; heartbeats have none. Beyond
 * the limit the oldest go.
 */
export class FrameBuffer {
  readonly #maxCharacters: number;
  #frames: WrittenFrame[] = [];
  #first = 0;
  #characters = 0;

  constructor(maxCharacters: number) {
    this.#maxCharacters = maxCharacters;
  }

  /** The number of the oldest frame that is still there. */
  get first(): number {
    return this.#first;
  }

  /** The number of the frame that comes next. */
  get next(): number {
    return this.#first + this.#frames.length;
  }

  get characters(): number {
    return this.#characters;
  }

  add(frame: Frame): void {
    const written = write(frame);
    if (!written) return;
    this.#frames.push(written);
    this.#characters += sizeOf(written);
    if (this.#characters > this.#maxCharacters) this.#dropOldest();
  }

  /** From this number on. */
  from(number: number): readonly WrittenFrame[] {
    return this.#frames.slice(Math.max(0, number - this.#first));
  }

  /** A quarter more than there must go, so that not every further frame moves all others. The newest always stays. */
  #dropOldest(): void {
    const room = this.#maxCharacters * 0.75;
    let count = 0;
    while (this.#characters > room && count < this.#frames.length - 1) {
      const frame = this.#frames[count++];
      this.#characters -= frame ? sizeOf(frame) : 0;
    }
    this.#frames = this.#frames.slice(count);
    this.#first += count;
  }
}

function sizeOf({ text }: WrittenFrame): number {
  return text.length + overhead;
}

/** Undefined for a sign of life, which says nothing to whoever comes later. */
function write(frame: Frame): WrittenFrame | undefined {
  switch (frame.type) {
    case 'data':
      return {
        type: 'written',
        text: JSON.stringify(frame.data),
        ...(frame.event !== undefined && { event: frame.event }),
      };
    case 'raw':
      return { type: 'written', text: frame.text };
    case 'comment':
      return undefined;
    default:
      return frame satisfies never;
  }
}
