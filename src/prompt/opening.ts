import { type ChatFormat, closingText, type PromptOpening } from '../contract/chat-format.ts';
import type { Content, Message } from '../contract/request.ts';
import type { Protection } from './protect.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;

/** Whether the text ends inside a thought. User text cannot pretend so: the markers in it are broken. */
export function opensThought(text: string, { reasoning }: ChatFormat): boolean {
  return reasoning !== undefined && reasoning.open.trim() !== '' && text.trimEnd().endsWith(reasoning.open.trim());
}

/** Where the answer begins behind a generation prompt that nothing was added to. */
export function openingOf(generationPrompt: string, format: ChatFormat): PromptOpening {
  return { block: opensThought(generationPrompt, format) ? 'reasoning' : 'text', generationPrompt };
}

/** Thought and text of a message that is to be continued, in the family's own markers, behind the generation prompt. */
export function continueMessage(
  message: Assistant,
  generationPrompt: string,
  format: ChatFormat,
  protection: Protection,
): { readonly prefill: string; readonly opening: PromptOpening } {
  const content = protection.text(plainText(message.content));
  const thought = format.reasoning ? protection.text(message.reasoning ?? '') : '';
  if (content === '' && thought === '') return { prefill: '', opening: openingOf(generationPrompt, format) };
  const { prefill, block } = writers[format.layout](content, thought, generationPrompt, format);
  const text = protection.split(generationPrompt + prefill).join('');
  return { prefill, opening: { block, generationPrompt: text, continues: true } };
}

/** A prompt that opens a thought although there must be none: it is closed at once. */
export function closeOpenThought(
  generationPrompt: string,
  format: ChatFormat,
): { readonly prefill: string; readonly opening: PromptOpening } {
  const prefill = opensThought(generationPrompt, format) ? closeThought('', format) : '';
  return { prefill, opening: openingOf(generationPrompt + prefill, format) };
}

function closeThought(thought: string, { reasoning }: ChatFormat): string {
  return reasoning ? `${thought}${closingText(reasoning)}` : thought;
}

interface Continued {
  readonly prefill: string;
  readonly block: PromptOpening['block'];
}

type WriteContinued = (content: string, thought: string, generationPrompt: string, format: ChatFormat) => Continued;

const writers: Readonly<Record<ChatFormat['layout'], WriteContinued>> = {
  plain(content, thought, generationPrompt, format) {
    const { open = '' } = format.reasoning ?? {};
    const isOpen = opensThought(generationPrompt, format);
    const begun = thought === '' || isOpen ? thought : `${open}${thought}`;
    if (content === '') return { prefill: begun, block: 'reasoning' };
    const closed = thought === '' && !isOpen ? '' : closeThought(begun, format);
    return { prefill: `${closed}${format.text?.open ?? ''}${content}`, block: 'text' };
  },
  harmony: messagesWriter('<|channel|>analysis<|message|>', '<|end|>', '<|channel|>final<|message|>'),
  muse: messagesWriter(' to=self<|message|>', '<|eom|>', ' to=user<|message|>'),
  functionary: (content) => ({ prefill: `all\n${content}`, block: 'text' }),
};

function messagesWriter(thoughtHead: string, end: string, textHead: string): WriteContinued {
  return (content, thought) => {
    const begun = thought === '' ? '' : `${thoughtHead}${thought}`;
    if (content === '') return { prefill: begun, block: 'reasoning' };
    const closed = thought === '' ? '' : `${begun}${end}<|start|>assistant`;
    return { prefill: `${closed}${textHead}${content}`, block: 'text' };
  };
}

function plainText(content: Content | null): string {
  if (content === null) return '';
  return typeof content === 'string' ? content : content.map(({ text }) => text).join('\n');
}
