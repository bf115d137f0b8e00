import type { BlockEvent, BlockStart, GenerationEvent } from '../contract/events.ts';
import type { ChatPrompt, Content, ContentPart, Message, ToolCall, ToolChoice } from '../contract/request.ts';
import { imageLine, type ServerTool, type ToolOutcome } from '../contract/server-tools.ts';
import type { OfferedTools } from './offered-tools.ts';

/** A call of the server's own tools that the model has written. */
export interface ServerCall extends ToolCall {
  readonly tool: ServerTool;
}

/**
 * What the model says in one round, on its way to the client: calls of the server's tools get their server and their own
 * name, blocks are counted on from the rounds before, and everything is remembered for the next prompt.
 */
export class ToolRound {
  readonly #offered: OfferedTools;
  readonly #firstBlock: number;
  readonly #isFirst: boolean;
  readonly #calls: (ToolCall & { readonly tool: ServerTool | undefined })[] = [];
  #blocks = 0;
  #text = '';
  #reasoning = '';
  #open: { readonly start: BlockStart; written: string } | undefined;

  constructor(offered: OfferedTools, place: { readonly firstBlock: number; readonly isFirst: boolean }) {
    this.#offered = offered;
    this.#firstBlock = place.firstBlock;
    this.#isFirst = place.isFirst;
  }

  /** Blocks up to here, those of the rounds before included. */
  get blocks(): number {
    return this.#firstBlock + this.#blocks;
  }

  get serverCalls(): readonly ServerCall[] {
    return this.#calls.flatMap(({ tool, ...call }) => (tool ? [{ ...call, tool }] : []));
  }

  /** The client has something to run. */
  get hasClientCalls(): boolean {
    return this.#calls.some(({ tool }) => tool === undefined);
  }

  /** The event as the client is told it; undefined: nothing. The end of a round need not be the answer's. */
  pass(event: GenerationEvent): GenerationEvent | undefined {
    switch (event.type) {
      case 'block-start':
      case 'block-delta':
      case 'block-end':
        return this.#passBlock(event);
      case 'finish':
        return undefined;
      case 'start': {
        if (this.#isFirst) return event;
        const { model, inputTokens, cachedTokens } = event;
        // Without a model it was ended while it waited for its slot.
        return model === undefined ? undefined : { type: 'round', inputTokens, cachedTokens };
      }
      case 'queued':
      case 'prompt-progress':
      case 'prompt-logprobs':
      case 'tool-state':
      case 'tool-result':
      case 'round':
        return event;
      default:
        return event satisfies never;
    }
  }

  #passBlock(event: BlockEvent): BlockEvent {
    const index = this.#firstBlock + event.index;
    switch (event.type) {
      case 'block-start': {
        this.#blocks++;
        this.#open = { start: event, written: '' };
        const tool = event.kind === 'tool-call' ? this.#offered.get(event.name) : undefined;
        if (event.kind !== 'tool-call' || !tool) return { ...event, index };
        return { ...event, index, name: tool.name, server: tool.server };
      }
      case 'block-delta':
        if (this.#open) this.#open.written += event.delta;
        return { ...event, index };
      case 'block-end':
        if (this.#open) this.#keep(this.#open.start, this.#open.written);
        return { ...event, index };
      default:
        return event satisfies never;
    }
  }

  #keep(start: BlockStart, written: string): void {
    switch (start.kind) {
      case 'text':
        this.#text += written;
        return;
      case 'reasoning':
        this.#reasoning += written;
        return;
      case 'tool-call': {
        const { id, name } = start;
        this.#calls.push({ id, name, arguments: written, tool: this.#offered.get(name) });
        return;
      }
      default:
        start satisfies never;
    }
  }

  /** The conversation with this round and its results behind it. */
  nextPrompt(prompt: ChatPrompt, outcomes: ReadonlyMap<ServerCall, ToolOutcome>): ChatPrompt {
    const said = this.#said(prompt);
    const results = [...outcomes].map(
      ([{ id, name }, outcome]): Message => ({ role: 'tool', content: contentOf(outcome), toolCallId: id, name }),
    );
    return { ...prompt, messages: [...said, ...results], toolChoice: afterFirstRound(prompt.toolChoice) };
  }

  /** A final assistant message was continued: what the model wrote belongs to it. */
  #said({ messages, continueFinalMessage }: ChatPrompt): Message[] {
    const last = messages.at(-1);
    const begun = continueFinalMessage && last?.role === 'assistant' && !last.toolCalls ? last : undefined;
    const text = joined(begun?.content ?? '', this.#text);
    const reasoning = (begun?.reasoning ?? '') + this.#reasoning;
    const answer: Message = {
      role: 'assistant',
      content: text === '' ? null : text,
      ...(reasoning !== '' && { reasoning }),
      toolCalls: this.#calls.map(({ id, name, arguments: written }) => ({ id, name, arguments: written })),
    };
    return [...(begun ? messages.slice(0, -1) : messages), answer];
  }
}

/** Images stand where their lines are; one whose line was cut off is gone with it. */
function contentOf({ content, images = [] }: ToolOutcome): Content {
  if (images.length === 0) return content;
  const parts: ContentPart[] = [];
  let rest = content;
  const write = (text: string) => {
    if (text.trim() !== '') parts.push({ type: 'text', text: text.trim() });
  };
  for (const image of images) {
    const line = imageLine(image);
    const at = rest.indexOf(line);
    if (at < 0) continue;
    write(rest.slice(0, at));
    parts.push({ type: 'image', source: { type: 'file', base64: image.base64 }, orNote: true });
    rest = rest.slice(at + line.length);
  }
  write(rest);
  return parts;
}

function joined(begun: Content, text: string): string {
  if (typeof begun === 'string') return begun + text;
  return begun.map((part) => (part.type === 'text' ? part.text : '')).join('') + text;
}

/** A call that was asked for has been made. */
function afterFirstRound(choice: ToolChoice): ToolChoice {
  switch (choice.type) {
    case 'required':
    case 'function':
      return { type: 'auto' };
    case 'allowed':
      return { ...choice, mode: 'auto' };
    case 'auto':
    case 'none':
      return choice;
    default:
      return choice satisfies never;
  }
}
