import type { AnswerEvent, ToolStep } from '../client/answers.ts';
import { printable } from '../contract/printable.ts';
import { createPaint, screenText } from './paint.ts';

export interface AnswerViewOptions {
  readonly write: (text: string) => void;
  readonly colours: boolean;
  /** Lines that are written over: only a terminal has them. */
  readonly status: boolean;
  readonly thoughts: 'shown' | 'folded' | 'left out';
}

/** Writes an answer as it comes. */
export interface AnswerView {
  show(event: AnswerEvent): void;
  /** Folds the thought that is being shown, or shows the folded one from here on. */
  fold(folded: boolean): void;
  /** The answer is over, however it ended: the next text stands on a line of its own. */
  finish(note?: string): void;
}

const clearLine = '\r\x1b[K';
const longestResult = 400;

type Part = 'nothing' | 'status' | 'thought' | 'text' | 'call';

export function createAnswerView({ write, colours, status, thoughts: thoughtsWanted }: AnswerViewOptions): AnswerView {
  const paint = createPaint(colours);
  const withColours = colours ? { on: '\x1b[2m', off: '\x1b[22m' } : { on: '', off: '' };
  let part: Part = 'nothing';
  let thoughts = thoughtsWanted;
  let foldedThought = '';
  let foldedWords = 0;
  let atLineStart = true;
  let hasText = false;

  const put = (text: string) => {
    if (text === '') return;
    write(text);
    atLineStart = text.endsWith('\n');
  };
  /** Ends the part before, so that the next one begins on a new line. */
  const enter = (next: Part) => {
    if (part === next) return;
    if (part === 'status') write(clearLine);
    if (part === 'thought') write(withColours.off);
    if (part !== 'nothing' && part !== 'status' && !atLineStart) put('\n');
    if (part === 'thought' && next === 'text') put('\n');
    if (next === 'thought') write(withColours.on);
    part = next;
  };
  const tell = (text: string) => {
    if (!status) return;
    if (part !== 'status') enter('status');
    write(clearLine + paint.dim(text));
  };
  const line = (text: string) => {
    enter('call');
    if (!atLineStart) put('\n');
    put(`${paint.dim(text)}\n`);
  };

  const showThought = (text: string) => {
    if (thoughts === 'left out') return;
    if (thoughts === 'folded') {
      foldedWords += wordsBehind(foldedThought, text);
      foldedThought += text;
      tell(`thinking, ${foldedWords} words (Ctrl-T shows them)`);
      return;
    }
    enter('thought');
    put(screenText(text));
  };
  /** The blank lines that models put before their answer are no part of it. */
  const showText = (text: string) => {
    const shown = screenText(hasText ? text : text.trimStart());
    if (shown === '') return;
    hasText = true;
    enter('text');
    put(shown);
  };

  return {
    show(event) {
      switch (event.type) {
        case 'queued':
          return tell(event.position === 1 ? 'waiting for a place, the next one' : `waiting, place ${event.position}`);
        case 'reading': {
          const { processed, total } = event;
          return processed < total ? tell(`reading, ${processed} of ${total} tokens`) : undefined;
        }
        case 'thought':
          return showThought(event.text);
        case 'text':
          return showText(event.text);
        case 'call':
          if (event.name !== undefined) {
            enter('text');
            enter('call');
            put(paint.dim(`→ ${printable(event.name)} `));
          }
          return put(paint.dim(printable(event.text)));
        case 'tool': {
          const text = toolLine(event);
          return text === undefined ? undefined : line(text);
        }
        case 'end':
          return undefined;
        default:
          return event satisfies never;
      }
    },
    fold(folded) {
      if (thoughts === 'left out') return;
      thoughts = folded ? 'folded' : 'shown';
      if (folded || foldedThought === '') return;
      const text = foldedThought;
      foldedThought = '';
      foldedWords = 0;
      // Of an answer that goes on it would stand in the middle.
      if (!hasText) showThought(text);
    },
    finish(note) {
      enter('nothing');
      if (!atLineStart) put('\n');
      if (note !== undefined) put(`${paint.dim(note)}\n`);
    },
  };
}

/** Words that begin in what is added. */
function wordsBehind(before: string, added: string): number {
  const begun = /\S$/.test(before.slice(-1)) && /^\S/.test(added) ? 1 : 0;
  return (added.match(/\S+/g)?.length ?? 0) - begun;
}

/** Undefined for steps that say nothing new. */
function toolLine({ name, state, arguments: written, result }: ToolStep): string | undefined {
  if (state === 'called') return printable(`→ ${name} ${written ?? ''}`.trimEnd());
  if (result === undefined) return undefined;
  const cut = result.length > longestResult ? `${result.slice(0, longestResult)} …` : result;
  const mark = state === 'done' ? '←' : `← ${state}:`;
  return cut
    .trimEnd()
    .split('\n')
    .map((row, index) => `${index === 0 ? mark : ' '} ${printable(row)}`)
    .join('\n');
}
