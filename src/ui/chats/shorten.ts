import type { Message } from './message.ts';
import { readText } from './request.ts';

/** By message. Undefined: it is read whole. */
export type Shorts = ReadonlyMap<string, string | undefined>;

/** Shorter texts are not worth a mark in their middle. */
const shortEnough = 400;
/** Of what is longer this much stays, and of that more at its beginning. */
const keptShare = 1 / 4;
const headShare = 0.6;

/** A text's first and last lines, with a mark for the model between them; the text itself where it is short. */
export function cutMiddle(text: string): string {
  if (text.length <= shortEnough) return text;
  const kept = Math.max(shortEnough, text.length * keptShare);
  const head = headOf(text, Math.round(kept * headShare));
  const tail = tailOf(text, Math.round(kept * (1 - headShare)));
  const left = [...text].length - [...head].length - [...tail].length;
  const cut = `${head.trimEnd()}\n[… ${left} characters left out …]\n${tail.trimStart()}`;
  return cut.length < text.length ? cut : text;
}

/** What a message could be in prompts, or undefined where there is nothing to gain. */
export function proposedShort(message: Message): string | undefined {
  const whole = readText(message);
  const cut = cutMiddle(whole);
  if (hasCalls(message)) return cut.trim() === '' ? '[… calls of tools left out …]' : cut;
  return cut === whole ? undefined : cut;
}

/** Calls and their results go when an answer is shortened: what stays of it is text. */
export function hasCalls({ blocks }: Pick<Message, 'blocks'>): boolean {
  return blocks.some(({ kind }) => kind === 'call');
}

/** The same messages, where `shorts` has one in that form; undefined takes a form back. */
export function shortened(path: readonly Message[], shorts: Shorts): Message[] {
  return path.map((message) => (shorts.has(message.id) ? withShort(message, shorts.get(message.id)) : message));
}

function withShort(message: Message, short: string | undefined): Message {
  const { short: _, ...rest } = message;
  return short === undefined ? rest : { ...rest, short };
}

/** Up to the end of a line near `length`, else of a word. */
function headOf(text: string, length: number): string {
  const part = wholeCharacters(text.slice(0, length));
  const line = part.lastIndexOf('\n');
  if (line > length / 2) return part.slice(0, line);
  const word = part.lastIndexOf(' ');
  return word > length / 2 ? part.slice(0, word) : part;
}

function tailOf(text: string, length: number): string {
  const part = text.slice(-length).replace(/^[\uDC00-\uDFFF]/, '');
  const line = part.indexOf('\n');
  if (line >= 0 && line < length / 2) return part.slice(line + 1);
  const word = part.indexOf(' ');
  return word >= 0 && word < length / 2 ? part.slice(word + 1) : part;
}

/** Not the first half of one that takes two. */
function wholeCharacters(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}
