import type { RenderedPrompt } from '../contract/chat-format.ts';
import type { JobImage } from '../engine/engine.ts';
import type { PlacedImage } from './image-maker.ts';

/** Puts a prompt together out of texts, tokens and images. */
export class JoinedPrompt {
  readonly #tokens: number[];
  readonly #images: JobImage[] = [];
  readonly #tokenize: (pieces: readonly string[]) => Promise<readonly number[]>;

  constructor(first: readonly number[], tokenize: (pieces: readonly string[]) => Promise<readonly number[]>) {
    this.#tokens = [...first];
    this.#tokenize = tokenize;
  }

  get prompt(): { readonly tokens: readonly number[]; readonly images: readonly JobImage[] } {
    return { tokens: this.#tokens, images: this.#images };
  }

  async add(part: string | number): Promise<void> {
    if (typeof part === 'number') this.#tokens.push(part);
    else this.#push(await this.#tokenize([part]));
  }

  /** What stands after an image is tokenized as what begins a text, as llama-server does it. */
  async addRendered({ pieces, images = [] }: RenderedPrompt, read: readonly PlacedImage[]): Promise<void> {
    let from = 0;
    for (const { index, before } of images) {
      if (before > from) this.#push(await this.#tokenize(pieces.slice(from, before)));
      from = before;
      await this.addImage(read[index] ?? []);
    }
    if (pieces.length > from) this.#push(await this.#tokenize(pieces.slice(from)));
  }

  async addImage(image: PlacedImage): Promise<void> {
    for (const part of image) {
      if (part.type === 'text') {
        this.#push(await this.#tokenize([part.text]));
        continue;
      }
      const { type: _, ids, ...facts } = part;
      this.#images.push({ ...facts, start: this.#tokens.length, rows: ids.length });
      this.#push(ids);
    }
  }

  #push(tokens: readonly number[]): void {
    for (const token of tokens) this.#tokens.push(token);
  }
}
