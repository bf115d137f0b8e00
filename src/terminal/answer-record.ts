import type { AnswerEvent } from '../client/answers.ts';
import type { Message, RanCall } from './conversation.ts';

/** Gathers an answer's events to the message that the conversation keeps. */
export class AnswerRecord {
  #text = '';
  #thought = '';
  readonly #calls = new Map<string, RanCall>();
  #isOver = false;

  add(event: AnswerEvent): void {
    switch (event.type) {
      case 'text':
        this.#text += event.text;
        return;
      case 'thought':
        this.#thought += event.text;
        return;
      case 'tool':
        this.#addStep(event);
        return;
      case 'end':
        this.#isOver = true;
        return;
      case 'queued':
      case 'reading':
      case 'call':
        return;
      default:
        event satisfies never;
    }
  }

  get thought(): string {
    return this.#thought;
  }

  /** Undefined where nothing was said. */
  message(): Message | undefined {
    // A call whose result never came would be one to the model that nobody answered.
    const calls = [...this.#calls.values()].filter(({ result }) => result !== '');
    if (this.#text === '' && calls.length === 0 && !(this.#isOver && this.#thought !== '')) return undefined;
    return { role: 'assistant', text: this.#text, thought: this.#thought, calls };
  }

  #addStep({ id, name, arguments: written, result }: AnswerEvent & { readonly type: 'tool' }): void {
    const known = this.#calls.get(id) ?? { id, name, arguments: '', result: '' };
    this.#calls.set(id, { ...known, arguments: written ?? known.arguments, result: result ?? known.result });
  }
}
