import type { BlockStart, TokenLogprob } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import { packReasoning } from '../shared/hidden-reasoning.ts';
import { FreeformInput } from './freeform-input.ts';
import { logprobObjects } from './logprobs.ts';
import type { Shown } from './request.ts';
import type { DeclaredTool } from './tool-directory.ts';

export type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

/** An event of the stream without the numbers that the encoder adds: type and what is special to it. */
export type ItemEvent = JsonObject & { readonly type: string };

/** One output item while it grows. Its events carry item_id and output_index already. */
export interface OutputItem {
  begin(): readonly ItemEvent[];
  grow(delta: string, logprobs: readonly TokenLogprob[]): readonly ItemEvent[];
  /** What must come before `output_item.done`. */
  end(): readonly ItemEvent[];
  /** The item as it stands now. */
  object(status: ItemStatus): JsonObject;
}

/** Where an item stands in its stream; part of each of its events. */
interface Place {
  readonly item_id: string;
  readonly output_index: number;
}

export interface ItemContext {
  readonly outputIndex: number;
  readonly newId: (prefix: string) => string;
  readonly show: Shown;
  readonly findTool: (name: string) => DeclaredTool;
}

export function openItem(block: BlockStart, context: ItemContext): OutputItem {
  const place = (prefix: string): Place => ({
    item_id: context.newId(prefix),
    output_index: context.outputIndex,
  });
  switch (block.kind) {
    case 'text':
      return new MessageItem(place('msg_'), context.show.logprobs);
    case 'reasoning':
      return context.show.reasoningSummary
        ? new ReasoningSummaryItem(place('rs_'), context.show)
        : new ReasoningTextItem(place('rs_'), context.show);
    case 'tool-call': {
      const tool = context.findTool(block.name);
      return tool.kind === 'custom'
        ? new CustomCallItem(place('ctc_'), block.id, tool)
        : new FunctionCallItem(place('fc_'), block.id, tool);
    }
    default:
      return block satisfies never;
  }
}

class MessageItem implements OutputItem {
  readonly #place: Place;
  readonly #withLogprobs: boolean;
  #text = '';
  #logprobs: JsonObject[] = [];

  constructor(place: Place, withLogprobs: boolean) {
    this.#place = place;
    this.#withLogprobs = withLogprobs;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.content_part.added', ...this.#place, content_index: 0, part: outputText('', []) }];
  }

  grow(delta: string, tokens: readonly TokenLogprob[]): readonly ItemEvent[] {
    const logprobs = this.#withLogprobs ? logprobObjects(tokens) : [];
    this.#text += delta;
    this.#logprobs.push(...logprobs);
    return [{ type: 'response.output_text.delta', ...this.#place, content_index: 0, delta, logprobs }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, content_index: 0 };
    return [
      { type: 'response.output_text.done', ...at, text: this.#text, logprobs: this.#logprobs },
      { type: 'response.content_part.done', ...at, part: outputText(this.#text, this.#logprobs) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const content = status === 'in_progress' ? [] : [outputText(this.#text, this.#logprobs)];
    return { type: 'message', id: this.#place.item_id, status, role: 'assistant', content };
  }
}

function outputText(text: string, logprobs: readonly JsonObject[]): JsonObject {
  return { type: 'output_text', text, annotations: [], logprobs };
}

/** Reasoning as it was written. */
class ReasoningTextItem implements OutputItem {
  readonly #place: Place;
  readonly #show: Shown;
  #text = '';

  constructor(place: Place, show: Shown) {
    this.#place = place;
    this.#show = show;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.content_part.added', ...this.#place, content_index: 0, part: reasoningText('') }];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#text += delta;
    return [{ type: 'response.reasoning_text.delta', ...this.#place, content_index: 0, delta }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, content_index: 0 };
    return [
      { type: 'response.reasoning_text.done', ...at, text: this.#text },
      { type: 'response.content_part.done', ...at, part: reasoningText(this.#text) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const done = status !== 'in_progress';
    const content = done ? [reasoningText(this.#text)] : [];
    return {
      type: 'reasoning',
      id: this.#place.item_id,
      status,
      summary: [],
      content,
      ...(done && packed(this.#text, this.#show)),
    };
  }
}

function reasoningText(text: string): JsonObject {
  return { type: 'reasoning_text', text };
}

function packed(text: string, show: Shown): JsonObject {
  return show.encryptedReasoning ? { encrypted_content: packReasoning(text) } : {};
}

/** The same text where clients look for a summary. There is no second model to shorten it. */
class ReasoningSummaryItem implements OutputItem {
  readonly #place: Place;
  readonly #show: Shown;
  #text = '';

  constructor(place: Place, show: Shown) {
    this.#place = place;
    this.#show = show;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.reasoning_summary_part.added', ...this.#place, summary_index: 0, part: summaryText('') }];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#text += delta;
    return [{ type: 'response.reasoning_summary_text.delta', ...this.#place, summary_index: 0, delta }];
  }

  end(): readonly ItemEvent[] {
    const at = { ...this.#place, summary_index: 0 };
    return [
      { type: 'response.reasoning_summary_text.done', ...at, text: this.#text },
      { type: 'response.reasoning_summary_part.done', ...at, part: summaryText(this.#text) },
    ];
  }

  object(status: ItemStatus): JsonObject {
    const done = status !== 'in_progress';
    const summary = done ? [summaryText(this.#text)] : [];
    return { type: 'reasoning', id: this.#place.item_id, status, summary, ...(done && packed(this.#text, this.#show)) };
  }
}

function summaryText(text: string): JsonObject {
  return { type: 'summary_text', text };
}

class FunctionCallItem implements OutputItem {
  readonly #place: Place;
  readonly #callId: string;
  readonly #tool: DeclaredTool;
  #arguments = '';

  constructor(place: Place, callId: string, tool: DeclaredTool) {
    this.#place = place;
    this.#callId = callId;
    this.#tool = tool;
  }

  begin(): readonly ItemEvent[] {
    return [];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#arguments += delta;
    return [{ type: 'response.function_call_arguments.delta', ...this.#place, delta }];
  }

  end(): readonly ItemEvent[] {
    const { name } = this.#tool;
    return [{ type: 'response.function_call_arguments.done', ...this.#place, name, arguments: this.#arguments }];
  }

  object(status: ItemStatus): JsonObject {
    const { name, namespace } = this.#tool;
    const id = this.#place.item_id;
    const call = { type: 'function_call', id, status, call_id: this.#callId, name, arguments: this.#arguments };
    return namespace === undefined ? call : { ...call, namespace };
  }
}

class CustomCallItem implements OutputItem {
  readonly #place: Place;
  readonly #callId: string;
  readonly #tool: DeclaredTool;
  readonly #reader = new FreeformInput();
  #input = '';

  constructor(place: Place, callId: string, tool: DeclaredTool) {
    this.#place = place;
    this.#callId = callId;
    this.#tool = tool;
  }

  begin(): readonly ItemEvent[] {
    return [];
  }

  grow(delta: string): readonly ItemEvent[] {
    return this.#add(this.#reader.push(delta));
  }

  end(): readonly ItemEvent[] {
    const last = this.#add(this.#reader.end());
    return [...last, { type: 'response.custom_tool_call_input.done', ...this.#place, input: this.#input }];
  }

  object(status: ItemStatus): JsonObject {
    const { name, namespace } = this.#tool;
    const id = this.#place.item_id;
    const call = { type: 'custom_tool_call', id, status, call_id: this.#callId, name, input: this.#input };
    return namespace === undefined ? call : { ...call, namespace };
  }

  #add(delta: string): readonly ItemEvent[] {
    if (delta === '') return [];
    this.#input += delta;
    return [{ type: 'response.custom_tool_call_input.delta', ...this.#place, delta }];
  }
}
