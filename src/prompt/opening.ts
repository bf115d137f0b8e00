import type { ChatFormat, PromptOpening } from '../contract/chat-format.ts';
import type { Content, Message } from '../contract/request.ts';
import type { Protection } from './protect.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;

/** What the prompt leaves open, and the text of a continued message that goes behind it. */
export interface OpenPrompt {
  readonly opening: PromptOpening;
  readonly prefill: string;
}

/**
 * `rendered` is the prompt with its generation prompt; `without` renders it without one, which tells how much of its
 * end belongs to the answer.
 */
export function findOpening(
  rendered: string,
  without: () => string,
  format: ChatFormat,
  continued: Assistant | undefined,
  protection: Protection,
): OpenPrompt {
  const generationPrompt = rendered.slice(commonLength(rendered, without()));
  const prefill = continued ? prefillText(continued, generationPrompt, format, protection) : '';
  const text = generationPrompt + prefill;
  const thinking = opensThought(text, format);
  return {
    prefill,
    opening: {
      block: thinking ? 'reasoning' : 'text',
      generationPrompt: text,
      ...(continued && prefill.trim() !== '' && { continues: continuesText(prefill, format) }),
    },
  };
}

function commonLength(left: string, right: string): number {
  let length = 0;
  while (length < right.length && left.charCodeAt(length) === right.charCodeAt(length)) length++;
  return length;
}

function opensThought(text: string, format: ChatFormat): boolean {
  if (!format.reasoning) return false;
  const open = text.lastIndexOf(format.reasoning.open.trim());
  return open >= 0 && open > text.lastIndexOf(format.reasoning.close.trim());
}

/** A prefill that ends with a marker begins a new text. */
function continuesText(prefill: string, format: ChatFormat): boolean {
  const end = prefill.trimEnd();
  const { open, close } = format.reasoning ?? { open: '', close: '' };
  return ![open.trim(), close.trim()].some((marker) => marker !== '' && end.endsWith(marker));
}

/** Thought and text of the message to be continued, in the family's own markers. */
function prefillText(message: Assistant, generationPrompt: string, format: ChatFormat, protection: Protection): string {
  const content = protection.text(plainText(message.content));
  if (!format.reasoning) return content;
  const { open, close } = format.reasoning;
  const isOpen = opensThought(generationPrompt, format);
  if (message.reasoning) {
    const thought = `${isOpen ? '' : `${open.trim()}\n`}${protection.text(message.reasoning)}`;
    return content === '' ? thought : `${thought}\n${close.trim()}\n\n${content}`;
  }
  if (content === '') return '';
  return isOpen ? `\n${close.trim()}\n\n${content}` : content;
}

function plainText(content: Content | null): string {
  if (content === null) return '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}
