import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

/** Requests with images to the demo model and their exact greedy answers by llama.cpp's server, see models/README.md. */
export interface ImageExample {
  readonly kind: string;
  /** Names of files. */
  readonly images: readonly string[];
  /** Among the parts of a message, null stands for the next image. */
  readonly messages: readonly { readonly role: string; readonly content: string | readonly (string | null)[] }[];
  readonly enable_thinking: boolean;
  readonly reasoning: string;
  readonly content: string;
  readonly prompt_tokens: number;
  /** Lowest probability of any chosen token: a near tie may fall the other way on another machine. */
  readonly certainty: number;
}

const fixtures = resolve(import.meta.dirname, '../fixtures');

export const imageExamples = JSON.parse(
  readFileSync(resolve(fixtures, 'demo-image-examples.json'), 'utf8'),
) as ImageExample[];

export function base64Of(image: string): string {
  return readFileSync(resolve(fixtures, 'demo-images', image)).toString('base64');
}

export function uriOf(image: string): string {
  return `data:image/png;base64,${base64Of(image)}`;
}

/** The example's messages as OpenAI's chat API has them. */
export function chatMessages({ images, messages }: ImageExample): unknown[] {
  const left = [...images];
  const part = (text: string | null) =>
    text === null ? { type: 'image_url', image_url: { url: uriOf(left.shift() ?? '') } } : { type: 'text', text };
  return messages.map(({ role, content }) => ({
    role,
    content: typeof content === 'string' ? content : content.map(part),
  }));
}
