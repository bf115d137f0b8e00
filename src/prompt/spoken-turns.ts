import type { ChatFormat } from '../contract/chat-format.ts';
import type { Message } from '../contract/request.ts';
import { splitThought } from './messages.ts';
import { closeOpenThought, closeThought, joined, withoutThought } from './opening.ts';
import type { Protection } from './protect.ts';

type Assistant = Extract<Message, { role: 'assistant' }>;

interface MarkedTurn {
  readonly message: Assistant;
  readonly index: number;
  /** Where its first call stands in the rendered text, or somewhere after that. */
  readonly call: number;
}

/** Those of the conversation, by the places that were marked. */
export function spokenTurns(messages: readonly Message[], places: ReadonlyMap<number, number>): readonly MarkedTurn[] {
  return [...places]
    .flatMap(([index, call]) => {
      const message = messages[index];
      return message?.role === 'assistant' ? [{ message, index, call }] : [];
    })
    .sort((left, right) => left.call - right.call);
}

interface SpokenTurn extends MarkedTurn {
  /** With which it began. */
  readonly generationPrompt: string;
}

interface Context {
  readonly format: ChatFormat;
  readonly protection: Protection;
}

/** The rendered text with the thoughts, empty ones too, that the template left out of these turns. */
export function asSpoken(rendered: string, turns: readonly SpokenTurn[], { format, protection }: Context): string {
  if (format.layout.type !== 'plain' || !format.reasoning) return rendered;
  let text = '';
  let from = 0;
  let last = 0;
  for (const { message, generationPrompt, call } of turns) {
    const head = withoutThought(generationPrompt, format);
    const begin = rendered.lastIndexOf(head, call);
    const thought = protection.text(splitThought(message, format).reasoning ?? '');
    // The template shows the thought itself, maybe as a message of its own.
    const isShown = thought !== '' && rendered.slice(last, call).includes(thought.trim());
    last = call;
    // Without a head nothing tells where the turn began.
    if (isShown || head.trim() === '' || begin < from) continue;
    const end = begin + head.length;
    const begun = beginning({ head, thought, written: rendered.slice(end, call), generationPrompt }, format);
    text += rendered.slice(from, begin) + begun;
    from = call;
  }
  return text + rendered.slice(from);
}

interface Beginning {
  readonly generationPrompt: string;
  /** Of the generation prompt, in front of a thought. */
  readonly head: string;
  readonly thought: string;
  /** What the template has between head and call. */
  readonly written: string;
}

/** A turn up to its call: as the model began it, and then as the template wrote it. */
function beginning({ generationPrompt, head, thought, written }: Beginning, format: ChatFormat): string {
  const { open = '', close = '' } = format.reasoning ?? {};
  const marks = [open.trim(), close.trim()];
  const rest = withoutEmptyThought(written, marks);
  if (marks.some((mark) => mark !== '' && rest.includes(mark))) return head + written;
  const begun =
    thought === ''
      ? closeOpenThought(generationPrompt, format).text
      : closeThought(joined(head, open) + thought, format);
  return joined(begun, rest);
}

function withoutEmptyThought(written: string, [open = '', close = '']: readonly string[]): string {
  const begin = written.trimStart();
  const inside = open !== '' && begin.startsWith(open) ? begin.slice(open.length).trimStart() : begin;
  return close !== '' && inside.startsWith(close) ? inside.slice(close.length) : written;
}
