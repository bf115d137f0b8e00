import type { JsonObject, JsonValue } from '../../contract/json.ts';
import { FreeformInput } from './freeform-input.ts';
import type { ItemEvent, ItemStatus, OutputItem, Place } from './output-item.ts';
import type { DeclaredTool } from './tool-directory.ts';

export class FunctionCallItem implements OutputItem {
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

/** A search for tools that the client makes: complete, or nothing of it; the protocol has no deltas for it. */
export class SearchCallItem implements OutputItem {
  readonly #place: Place;
  readonly #callId: string;
  #arguments = '';

  constructor(place: Place, callId: string) {
    this.#place = place;
    this.#callId = callId;
  }

  begin(): readonly ItemEvent[] {
    return [];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#arguments += delta;
    return [];
  }

  end(): readonly ItemEvent[] {
    return [];
  }

  object(status: ItemStatus): JsonObject {
    const begun = status === 'in_progress' ? '' : this.#arguments;
    const type = 'tool_search_call';
    return {
      type,
      id: this.#place.item_id,
      status,
      call_id: this.#callId,
      execution: 'client',
      arguments: parsed(begun),
    };
  }
}

/** The arguments as JSON; what is none, because it was cut off, as the text that it is. */
function parsed(text: string): JsonValue {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

export class CustomCallItem implements OutputItem {
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
