import type { RenderedPrompt } from '../contract/chat-format.ts';
import type { JobMedium } from '../engine/engine.ts';
import type { PlacedMedium } from './media-maker.ts';

/** Puts a prompt together out of texts, tokens, images and sounds. */
export class JoinedPrompt {
  readonly #tokens: number[];
  readonly #media: JobMedium[] = [];
  readonly #tokenize: (pieces: readonly string[]) => Promise<readonly number[]>;

  constructor(first: readonly number[], tokenize: (pieces: readonly string[]) => Promise<readonly number[]>) {
    this.#tokens = [...first];
    this.#tokenize = tokenize;
  }

  get prompt(): { readonly tokens: readonly number[]; readonly media: readonly JobMedium[] } {
    return { tokens: this.#tokens, media: this.#media };
  }

  async add(part: string | number): Promise<void> {
    if (typeof part === 'number') this.#tokens.push(part);
    else this.#push(await this.#tokenize([part]));
  }

  /** What stands after an image or a sound is tokenized as what begins a text, as llama-server does it. */
  async addRendered({ pieces, media = [] }: RenderedPrompt, read: readonly PlacedMedium[]): Promise<void> {
    let from = 0;
    for (const { index, before } of media) {
      if (before > from) this.#push(await this.#tokenize(pieces.slice(from, before)));
      from = before;
      await this.addMedium(read[index] ?? []);
    }
    if (pieces.length > from) this.#push(await this.#tokenize(pieces.slice(from)));
  }

  async addMedium(medium: PlacedMedium): Promise<void> {
    for (const part of medium) {
      if (part.type === 'text') {
        this.#push(await this.#tokenize([part.text]));
        continue;
      }
      const { type: _, ids, ...facts } = part;
      this.#media.push({ ...facts, start: this.#tokens.length, rows: ids.length });
      this.#push(ids);
    }
  }

  #push(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }
}
