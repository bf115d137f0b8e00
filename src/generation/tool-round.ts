import type { BlockEvent, BlockStart, GenerationEvent } from '../contract/events.ts';
import type { ChatPrompt, Content, ContentPart, Message, ToolCall, ToolChoice } from '../contract/request.ts';
import { imageLine, type ServerTool, type ToolOutcome } from '../contract/server-tools.ts';
import type { OfferedTools } from './offered-tools.ts';

/** A call of the server's own tools that the model has written. */
export interface ServerCall extends ToolCall {
  /** By which the events tell it apart; `writtenId` is what the model reads. */
  readonly id: string;
  readonly writtenId: string;
  readonly tool: ServerTool;
}

export interface RoundPlace {
  readonly firstBlock: number;
  readonly isFirst: boolean;
  /** The id by which a call is told apart from all others, of the one that the model wrote. */
  idOf(writtenId: string): string;
  /** The client is to be asked about calls of this tool. */
  asks(tool: ServerTool): boolean;
}

interface Call extends ToolCall {
  readonly shownId: string;
  readonly tool: ServerTool | undefined;
}

interface OpenBlock {
  readonly start: BlockStart;
  shownId: string;
  written: string;
}

/**
 * What the model says in one round, on its way to the client: calls of the server's tools get their server and their own
 * name, blocks are counted on from the rounds before, and everything is remembered for the next prompt.
 */
export class ToolRound {
  readonly #offered: OfferedTools;
  readonly #place: RoundPlace;
  readonly #calls: Call[] = [];
  #blocks = 0;
  #text = '';
  #reasoning = '';
  #open: OpenBlock | undefined;

  constructor(offered: OfferedTools, place: RoundPlace) {
    this.#offered = offered;
    this.#place = place;
  }

  /** Blocks up to here, those of the rounds before included. */
  get blocks(): number {
    return this.#place.firstBlock + this.#blocks;
  }

  /** Those that are run now. */
  get serverCalls(): readonly ServerCall[] {
    return this.#calls.flatMap(({ id, shownId, tool, ...call }) =>
      tool && !this.#place.asks(tool) ? [{ ...call, id: shownId, writtenId: id, tool }] : [],
    );
  }

  /** The client has something to run, or to allow. */
  get leavesCalls(): boolean {
    return this.#calls.some(({ tool }) => tool === undefined || this.#place.asks(tool));
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
        if (this.#place.isFirst) return event;
        const { model, inputTokens, cachedTokens } = event;
        // Without a model it was ended while it waited for its slot.
        return model === undefined ? undefined : { type: 'round', inputTokens, cachedTokens };
      }
      case 'queued':
      case 'prompt-progress':
      case 'prompt-logprobs':
      case 'tool-list':
      case 'tool-state':
      case 'tool-result':
      case 'round':
        return event;
      default:
        return event satisfies never;
    }
  }

  #passBlock(event: BlockEvent): BlockEvent {
    const index = this.#place.firstBlock + event.index;
    switch (event.type) {
      case 'block-start': {
        this.#blocks++;
        this.#open = { start: event, shownId: '', written: '' };
        if (event.kind !== 'tool-call') return { ...event, index };
        const tool = this.#offered.get(event.name);
        const id = tool ? this.#place.idOf(event.id) : event.id;
        this.#open.shownId = id;
        if (!tool) return { ...event, index };
        const asks = this.#place.asks(tool);
        return { ...event, index, id, name: tool.name, server: tool.server, ...(asks && { asks }) };
      }
      case 'block-delta':
        if (this.#open) this.#open.written += event.delta;
        return { ...event, index };
      case 'block-end':
        if (this.#open) this.#keep(this.#open);
        return { ...event, index };
      default:
        return event satisfies never;
    }
  }

  #keep({ start, shownId, written }: OpenBlock): void {
    switch (start.kind) {
      case 'text':
        this.#text += written;
        return;
      case 'reasoning':
        this.#reasoning += written;
        return;
      case 'tool-call': {
        const { id, name } = start;
        this.#calls.push({ id, shownId, name, arguments: written, tool: this.#offered.get(name) });
        return;
      }
      default:
        start satisfies never;
    }
  }

  /** The conversation with this round and its results after it. */
  nextPrompt(prompt: ChatPrompt, outcomes: ReadonlyMap<ServerCall, ToolOutcome>): ChatPrompt {
    const said = this.#said(prompt);
    const results = [...outcomes].map(
      ([{ writtenId, name }, outcome]): Message => ({
        role: 'tool',
        content: contentOf(outcome),
        toolCallId: writtenId,
        name,
      }),
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
      toolCalls: this.#calls.map(({ id, name, arguments: written, tool }) => ({
        id,
        name,
        arguments: written,
        ...(tool && { server: tool.server }),
      })),
    };
    return [...(begun ? messages.slice(0, -1) : messages), answer];
  }
}

/** Images stand where their lines are; one whose line was cut off is gone with it. */
export function contentOf({ content, images = [] }: ToolOutcome): Content {
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
export function afterFirstRound(choice: ToolChoice): ToolChoice {
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
