import type { ChatFormat } from '../contract/chat-format.ts';
import type { JsonObject } from '../contract/json.ts';
import type { Message } from '../contract/request.ts';
import type { Protection } from './protect.ts';

/**
 * A turn whose calls the server has run is one answer with what follows. The model reads on where it stopped, so such a
 * turn stays as it was written, whatever the template does with thoughts of turns that are over.
 */
export function isSpoken({ toolCalls }: Extract<Message, { role: 'assistant' }>): boolean {
  return toolCalls?.some(({ server }) => server !== undefined) ?? false;
}

/**
 * Calls that the server has run, on their way through the template: where they stand is marked, and their arguments stay
 * spelled as the model wrote them, where the template would spell the same JSON in its own way.
 */
export class SpokenCalls {
  readonly #protection: Protection;
  readonly #texts: string[] = [];
  #canStand: boolean;

  constructor(protection: Protection, { toolCalls }: ChatFormat) {
    this.#protection = protection;
    // Elsewhere the arguments are no JSON in the model's text.
    this.#canStand = toolCalls?.syntax === 'json' || toolCalls?.syntax === 'named-json';
  }

  /** In front of the first call of the turn that is this message. */
  markOf(index: number): string {
    const { mark } = this.#protection;
    return `${mark}${index}${mark}`;
  }

  /** What stands in a template for arguments; undefined: they go through it themselves. */
  stand(written: string): JsonObject | undefined {
    if (!this.#canStand) return undefined;
    const { mark, text } = this.#protection;
    return { [`${mark}a${this.#texts.push(text(written)) - 1}${mark}`]: 0 };
  }

  /** The rendered text with arguments as they were written; undefined: the template did not write what stood for them. */
  write(rendered: string): string | undefined {
    if (this.#texts.length === 0) return rendered;
    const { mark } = this.#protection;
    const standing = new RegExp(`\\{\\s*"${mark}a(\\d+)${mark}"\\s*:\\s*0\\s*\\}`, 'g');
    const text = rendered.replace(standing, (_, index) => this.#texts[Number(index)] ?? '');
    return text.includes(`${mark}a`) ? undefined : text;
  }

  /** All that follows goes through the template as it is. */
  giveUp(): void {
    this.#canStand = false;
    this.#texts.length = 0;
  }

  /** The text without the marks of turns, and where the first one of each message was. */
  turnsIn(rendered: string): { readonly text: string; readonly places: ReadonlyMap<number, number> } {
    const { mark } = this.#protection;
    const places = new Map<number, number>();
    let text = '';
    // With a group in the pattern, every other part is a message's number.
    for (const [at, part] of rendered.split(new RegExp(`${mark}(\\d+)${mark}`)).entries()) {
      if (at % 2 === 0) text += part;
      else if (!places.has(Number(part))) places.set(Number(part), text.length);
    }
    return { text, places };
  }
}
