import { statSync } from 'node:fs';
import { ServeError } from '../../contract/errors.ts';
import type { Context } from '../../native/context.ts';
import { isMediaRow } from '../media-ids.ts';
import type { Answer, Question } from '../remote/protocol.ts';
import type { Outbox } from './outbox.ts';
import { type SequenceMemory, Slot } from './slot.ts';

type Move = Extract<Question, { about: 'save' | 'load' | 'drop' | 'copy' | 'write-file' | 'read-file' }>;

interface SlotMovesOptions {
  readonly context: SequenceMemory & Pick<Context, 'unified' | 'shareBeginning' | 'writeState' | 'readState'>;
  readonly slots: readonly Slot[];
  readonly outbox: Outbox;
}

interface SavedState {
  readonly tokens: readonly number[];
  readonly adapters: readonly number[];
  readonly state: Uint8Array;
}

/** State of slots that is kept in memory and in files, and goes from one slot to another. */
export class SlotMoves {
  readonly #options: SlotMovesOptions;
  readonly #saved = new Map<number, SavedState>();
  #next = 1;

  constructor(options: SlotMovesOptions) {
    this.#options = options;
  }

  answer(question: Move): Answer {
    switch (question.about) {
      case 'save': {
        const saved = this.#capture(this.#slot(question.slot), question.tokens);
        const snapshot = this.#next++;
        this.#saved.set(snapshot, saved);
        return { about: 'save', snapshot, tokens: saved.tokens.length, bytes: saved.state.length };
      }
      case 'load': {
        const saved = this.#saved.get(question.snapshot);
        return { about: 'load', done: saved !== undefined && this.#restore(question.slot, saved) };
      }
      case 'drop':
        this.#saved.delete(question.snapshot);
        return { about: 'drop' };
      case 'copy':
        return { about: 'copy', done: this.#copy(question.from, question.to, question.tokens) };
      case 'write-file':
        this.#write(this.#slot(question.slot), question.path);
        return { about: 'write-file' };
      case 'read-file':
        return { about: 'read-file', tokens: this.#read(question.slot, question.path) };
      default:
        return question satisfies never;
    }
  }

  #capture(slot: Slot, tokens: number): SavedState {
    return {
      tokens: slot.tokens.slice(0, tokens),
      adapters: slot.adapters,
      state: this.#options.context.saveState(slot.id),
    };
  }

  #restore(to: number, { tokens, adapters, state }: SavedState): boolean {
    const { context, outbox } = this.#options;
    const slot = this.#slot(to);
    outbox.disown(to);
    if (slot.run) return false;
    slot.clear();
    // The state holds all that its slot held, the tokens what is wanted of it.
    const position = Slot.positionIn(tokens, tokens.length);
    const restored =
      context.restoreState(to, state) &&
      context.cut(to, position) &&
      // After a medium whose rows share a position, the last one is before it.
      (context.lastPosition(to) === position - 1 || isMediaRow(tokens.at(-1) ?? 0));
    slot.adapters = adapters;
    if (restored) slot.adopt(tokens);
    else slot.clear();
    return restored;
  }

  #copy(from: number, to: number, tokens: number): boolean {
    const { context, outbox } = this.#options;
    const [source, target] = [this.#slot(from), this.#slot(to)];
    outbox.disown(to);
    if (source.tokens.length < tokens || target.run) {
      if (!target.run) target.clear();
      return false;
    }
    if (!context.unified) return this.#restore(to, this.#capture(source, tokens));
    context.shareBeginning(from, to, source.positionOf(tokens));
    target.adapters = source.adapters;
    target.adopt(source.tokens.slice(0, tokens));
    return true;
  }

  #write(slot: Slot, path: string): void {
    const written = this.#options.context.writeState(slot.id, path, slot.tokens);
    // What still lay in the library's buffer when the disk became full is lost without an error.
    const { size } = statSync(path);
    if (size !== written) throw new Error(`Of ${written} bytes, ${path} holds ${size}. Is the disk full?`);
  }

  #read(to: number, path: string): Int32Array | undefined {
    const { context, outbox } = this.#options;
    const slot = this.#slot(to);
    outbox.disown(to);
    if (slot.run) return undefined;
    slot.clear();
    const tokens = context.readState(to, path);
    if (!tokens) {
      slot.clear();
      return undefined;
    }
    slot.adapters = [];
    slot.adopt(tokens);
    return Int32Array.from(tokens);
  }

  #slot(id: number): Slot {
    const slot = this.#options.slots[id];
    if (!slot) throw new ServeError('internal', `There is no slot ${id}.`);
    return slot;
  }
}
