import { type ChatFormat, closingText, nextMessage, type PromptOpening } from '../contract/chat-format.ts';
import { type Message, textOfContent } from '../contract/request.ts';
import type { Protection } from './protect.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;

/** Whether the text ends inside a thought. User text cannot pretend so: the markers in it are broken. */
function opensThought(text: string, { reasoning }: ChatFormat): boolean {
  return reasoning !== undefined && reasoning.open.trim() !== '' && text.trimEnd().endsWith(reasoning.open.trim());
}

/** Where the answer begins after a generation prompt that nothing was added to. */
export function openingOf(generationPrompt: string, format: ChatFormat): PromptOpening {
  return { block: opensThought(generationPrompt, format) ? 'reasoning' : 'text', generationPrompt };
}

/** How an answer goes on from what the request or the budget asks for. */
export interface Continued {
  /** Stands in the place of the generation prompt. */
  readonly text: string;
  readonly opening: PromptOpening;
}

/** Thought and text of a message that is to be continued, in the family's own markers, after the generation prompt. */
export function continueMessage(
  message: Assistant,
  generationPrompt: string,
  format: ChatFormat,
  protection: Protection,
): Continued {
  const content = protection.text(textOfContent(message.content));
  const thought = format.reasoning ? protection.text(message.reasoning ?? '') : '';
  if (content === '' && thought === '') {
    return { text: generationPrompt, opening: openingOf(generationPrompt, format) };
  }
  const text = written({ content, thought, generationPrompt }, format);
  const block = content === '' ? 'reasoning' : 'text';
  return { text, opening: { block, generationPrompt: text, continues: true } };
}

/** A prompt that opens a thought although there must be none: it is closed at once. */
export function closeOpenThought(generationPrompt: string, format: ChatFormat): Continued {
  const closing = format.reasoning && opensThought(generationPrompt, format) ? closingText(format.reasoning) : '';
  const text = generationPrompt + closing;
  return { text, opening: openingOf(text, format) };
}

interface Begun {
  readonly content: string;
  readonly thought: string;
  readonly generationPrompt: string;
}

function written(begun: Begun, format: ChatFormat): string {
  const { layout } = format;
  const { content, thought, generationPrompt } = begun;
  switch (layout.type) {
    case 'plain':
      return plainly(begun, format);
    case 'messages': {
      const thinking = thought === '' ? '' : layout.heads.thought + thought;
      const next = thought === '' ? '' : nextMessage(layout);
      return generationPrompt + thinking + (content === '' ? '' : next + layout.heads.text + content);
    }
    case 'parts':
      return generationPrompt + layout.textName + layout.nameEnd + content;
    default:
      return layout satisfies never;
  }
}

function plainly({ content, thought, generationPrompt }: Begun, format: ChatFormat): string {
  const { reasoning } = format;
  const begun =
    reasoning && thought !== ''
      ? joined(withoutThought(generationPrompt, format), reasoning.open) + thought
      : generationPrompt;
  if (content === '') return begun;
  const closed = thought === '' ? closeOpenThought(begun, format).text : closeThought(begun, format);
  return joined(closed, format.text?.open ?? '') + content;
}

/** A generation prompt up to the thought that it opens or skips, and without what begins the answer's text. */
export function withoutThought(generationPrompt: string, { reasoning, text }: ChatFormat): string {
  const markers = [reasoning?.open.trim(), reasoning?.close.trim(), text?.open.trim()].filter((marker) => marker);
  const places = markers.map((marker) => generationPrompt.indexOf(marker ?? '')).filter((at) => at >= 0);
  return generationPrompt.slice(0, Math.min(generationPrompt.length, ...places));
}

/** Two texts whose ends may be the same: what both have stands there once. */
export function joined(before: string, after: string): string {
  let length = Math.min(before.length, after.length);
  while (!before.endsWith(after.slice(0, length))) length--;
  return before + after.slice(length);
}

/** The line break that ends a thought may be the one in front of its closing marker. */
export function closeThought(begun: string, { reasoning }: ChatFormat): string {
  const closing = reasoning ? closingText(reasoning) : '';
  return (closing.startsWith('\n') ? begun.replace(/(?<!\n)\n+$/, '') : begun) + closing;
}
