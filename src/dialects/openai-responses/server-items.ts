import type { BlockStart, ToolListEvent, ToolResultEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { ServerTool } from '../../contract/server-tools.ts';
import type { ItemEvent, ItemStatus, OutputItem, Place } from './output-item.ts';

type CallStart = Extract<BlockStart, { kind: 'tool-call' }>;

/**
 * A call that the server runs: it stays open after its block until its result is there. `call_id` and `round` are this
 * server's own members; sent back, they let the conversation be read as the model has read it.
 */
export class McpCallItem implements OutputItem {
  readonly #place: Place;
  readonly #call: CallStart;
  readonly #round: number;
  #arguments = '';
  #areDone = false;
  #result: ToolResultEvent | undefined;

  constructor(place: Place, call: CallStart, round: number) {
    this.#place = place;
    this.#call = call;
    this.#round = round;
  }

  begin(): readonly ItemEvent[] {
    return [{ type: 'response.mcp_call.in_progress', ...this.#place }];
  }

  grow(delta: string): readonly ItemEvent[] {
    this.#arguments += delta;
    return [{ type: 'response.mcp_call_arguments.delta', ...this.#place, delta }];
  }

  /** Its arguments are whole: it is run. */
  run(): readonly ItemEvent[] {
    if (this.#areDone) return [];
    this.#areDone = true;
    return [{ type: 'response.mcp_call_arguments.done', ...this.#place, arguments: this.#arguments }];
  }

  answer(result: ToolResultEvent): readonly ItemEvent[] {
    this.#result = result;
    const end = result.isError ? 'failed' : 'completed';
    return [...this.run(), { type: `response.mcp_call.${end}`, ...this.#place }];
  }

  end(): readonly ItemEvent[] {
    return [];
  }

  object(status: ItemStatus): JsonObject {
    const result = this.#result;
    const { id, name, server, allowedBy } = this.#call;
    return {
      type: 'mcp_call',
      id: this.#place.item_id,
      status: result?.isError ? 'failed' : status,
      approval_request_id: allowedBy ?? null,
      arguments: status === 'in_progress' ? '' : this.#arguments,
      error: result?.isError ? result.content : null,
      name,
      output: result && !result.isError ? result.content : null,
      server_label: server ?? '',
      call_id: id,
      round: this.#round,
    };
  }
}

/** A call that waits for the client's word: shown when it is whole; the protocol has no deltas for it. */
export class ApprovalItem {
  readonly #itemId: string;
  readonly #call: CallStart;
  readonly #round: number;
  #arguments = '';

  constructor(itemId: string, call: CallStart, round: number) {
    this.#itemId = itemId;
    this.#call = call;
    this.#round = round;
  }

  grow(delta: string): void {
    this.#arguments += delta;
  }

  object(): JsonObject {
    const { id, name, server } = this.#call;
    return {
      type: 'mcp_approval_request',
      id: this.#itemId,
      arguments: this.#arguments,
      name,
      server_label: server ?? '',
      call_id: id,
      round: this.#round,
    };
  }
}

/** A server's tools, or why there are none. */
export function listObject(id: string, { server, tools, problem }: ToolListEvent): JsonObject {
  const list = { type: 'mcp_list_tools', id, server_label: server, tools: tools.map(listedTool) };
  return problem === undefined ? list : { ...list, error: problem };
}

function listedTool({ name, description, parameters, readOnly }: ServerTool): JsonObject {
  return { annotations: { read_only: readOnly }, description: description ?? null, input_schema: parameters, name };
}
