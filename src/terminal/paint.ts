import { printable } from '../contract/printable.ts';

/** How text looks, where the screen can show it. */
export interface Paint {
  readonly dim: (text: string) => string;
  readonly bold: (text: string) => string;
  readonly warn: (text: string) => string;
}

export function createPaint(colours: boolean): Paint {
  const between = (on: number, off: number) => (text: string) =>
    colours && text !== '' ? `\x1b[${on}m${text}\x1b[${off}m` : text;
  return { dim: between(2, 22), bold: between(1, 22), warn: between(33, 39) };
}

/** A model's text, of which nothing is an order to the terminal. Carriage returns are halves of line ends. */
export function screenText(text: string): string {
  return text
    .replaceAll('\r', '')
    .split(/([\n\t])/)
    .map((part) => (part === '\n' || part === '\t' ? part : printable(part)))
    .join('');
}
