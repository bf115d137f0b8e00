import type { ServeError } from '../../contract/errors.ts';
import type {
  BlockStart,
  FinishEvent,
  GenerationEvent,
  ToolListEvent,
  ToolResultEvent,
} from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openItem } from './open-item.ts';
import type { ItemEvent, ItemStatus, OutputItem } from './output-item.ts';
import type { ResponsesCall } from './request.ts';
import { finishedStatus, type ResponseState, responseObject } from './response.ts';
import { ApprovalItem, listObject, McpCallItem } from './server-items.ts';

interface Waiting {
  readonly item: McpCallItem;
  readonly index: number;
}

/**
 * Generation events -> the events of a Responses stream, numbered without gaps, with exactly one terminal event. An item
 * that has ended is closed by the next event only: whether it is complete or was cut off is known then.
 */
export class ResponsesEncoder implements StreamEncoder {
  readonly #call: ResponsesCall;
  readonly #answer: AnswerContext;
  /** Items that are complete, each at its index: calls that the server runs end in any order. */
  readonly #output = new Map<number, JsonObject>();
  /** Calls whose results are to come, by their ids. */
  readonly #waiting = new Map<string, Waiting>();
  /** Items that have begun. */
  #items = 0;
  #round = 1;
  #sequence = 0;
  /** Undefined before and while it runs. */
  #ended: JsonObject | undefined;
  #begun = false;
  #item: OutputItem | undefined;
  #approval: ApprovalItem | undefined;

  constructor(call: ResponsesCall, answer: AnswerContext) {
    this.#call = call;
    this.#answer = answer;
  }

  /** The response object as far as it has come, with the items that are complete. */
  get response(): JsonObject {
    const status = this.#begun ? 'in_progress' : 'queued';
    return this.#ended ?? this.#response({ status, output: this.#complete() });
  }

  encode(event: GenerationEvent): readonly Frame[] {
    switch (event.type) {
      case 'start':
        return this.#begin();
      case 'queued':
      case 'prompt-progress':
      case 'prompt-logprobs':
      case 'block-end':
        return [];
      case 'tool-list':
        return this.#list(event);
      case 'tool-state':
        return [...this.#closeItem('completed'), ...this.#frames(this.#waiting.get(event.callId)?.item.run() ?? [])];
      case 'tool-result':
        return [...this.#closeItem('completed'), ...this.#endCall(event)];
      case 'round':
        this.#round += 1;
        return [];
      case 'block-start':
        return [...this.#closeItem('completed'), ...this.#openItem(event)];
      case 'block-delta':
        this.#approval?.grow(event.delta);
        return this.#frames(this.#item?.grow(event.delta, event.logprobs ?? []) ?? []);
      case 'finish':
        return this.#finish(event);
      default:
        return event satisfies never;
    }
  }

  /** The terminal event came with `finish`. */
  end(): readonly Frame[] {
    return [];
  }

  /** An item that is still open stays unfinished: a client that asks again must not take it into its history. */
  fail(error: ServeError): readonly Frame[] {
    if (this.#ended) return [];
    const begin = this.#begun ? [] : this.#begin();
    const { message, code = null, param = null } = openaiErrorObject(error);
    if (this.#item) this.#output.set(this.#items - 1, this.#item.object('incomplete'));
    for (const { item, index } of this.#waiting.values()) this.#output.set(index, item.object('incomplete'));
    const response = this.#end({ status: 'failed', output: this.#complete(), error });
    const events = [
      { type: 'error', code, message, param },
      { type: 'response.failed', response },
    ];
    return [...begin, ...this.#frames(events)];
  }

  heartbeat(): Frame {
    return { type: 'comment', text: 'still working' };
  }

  #begin(): readonly Frame[] {
    this.#begun = true;
    const response = this.#response({ status: 'in_progress', output: [] });
    return this.#frames([
      { type: 'response.created', response },
      { type: 'response.in_progress', response },
    ]);
  }

  #openItem(event: BlockStart): readonly Frame[] {
    const { directory, show } = this.#call;
    const { newId } = this.#answer;
    if (event.kind === 'tool-call' && event.asks) {
      this.#approval = new ApprovalItem(newId('mcpr_'), event, this.#round);
      return [];
    }
    const outputIndex = this.#items++;
    const round = this.#round;
    const item = openItem(event, { outputIndex, newId, show, round, findTool: (name) => directory.find(name) });
    this.#item = item;
    if (event.kind === 'tool-call' && item instanceof McpCallItem)
      this.#waiting.set(event.id, { item, index: outputIndex });
    const added = { type: 'response.output_item.added', output_index: outputIndex, item: item.object('in_progress') };
    return this.#frames([added, ...item.begin()]);
  }

  /** A call that the server runs stays open; one that was cut is not asked about. */
  #closeItem(status: ItemStatus): readonly Frame[] {
    const approval = this.#approval;
    this.#approval = undefined;
    if (approval) return status === 'completed' ? this.#whole(approval.object()) : [];
    const item = this.#item;
    this.#item = undefined;
    if (item === undefined || item instanceof McpCallItem) return [];
    const last = item.end();
    return this.#frames([...last, this.#done(this.#items - 1, item.object(status))]);
  }

  #endCall(result: ToolResultEvent): readonly Frame[] {
    const waiting = this.#waiting.get(result.callId);
    if (!waiting) return [];
    this.#waiting.delete(result.callId);
    const { item, index } = waiting;
    return this.#frames([...item.answer(result), this.#done(index, item.object('completed'))]);
  }

  #list(list: ToolListEvent): readonly Frame[] {
    const id = this.#answer.newId('mcpl_');
    const place = { output_index: this.#items++, item_id: id };
    const end = list.problem === undefined ? 'completed' : 'failed';
    return this.#frames([
      {
        type: 'response.output_item.added',
        output_index: place.output_index,
        item: listObject(id, { type: 'tool-list', server: list.server, tools: [] }),
      },
      { type: 'response.mcp_list_tools.in_progress', ...place },
      { type: `response.mcp_list_tools.${end}`, ...place },
      this.#done(place.output_index, listObject(id, list)),
    ]);
  }

  /** An item that comes in one piece. */
  #whole(item: JsonObject): readonly Frame[] {
    const index = this.#items++;
    return this.#frames([{ type: 'response.output_item.added', output_index: index, item }, this.#done(index, item)]);
  }

  #done(index: number, item: JsonObject): ItemEvent {
    this.#output.set(index, item);
    return { type: 'response.output_item.done', output_index: index, item };
  }

  #finish(finish: FinishEvent): readonly Frame[] {
    const status = finishedStatus(finish);
    const closing = this.#closeItem(status === 'completed' ? 'completed' : 'incomplete');
    const notRun = [...this.#waiting.values()].map(({ item, index }) => this.#done(index, item.object('incomplete')));
    const type = status === 'completed' ? 'response.completed' : 'response.incomplete';
    const response = this.#end({ status, output: this.#complete(), finish });
    return [...closing, ...this.#frames([...notRun, { type, response }])];
  }

  #end(state: ResponseState): JsonObject {
    this.#ended = this.#response(state);
    return this.#ended;
  }

  #complete(): readonly JsonObject[] {
    return [...this.#output].sort(([one], [other]) => one - other).map(([, item]) => item);
  }

  #response(state: ResponseState): JsonObject {
    return responseObject(this.#call.settings, this.#answer, { ...state, output: [...state.output] });
  }

  #frames(events: readonly ItemEvent[]): readonly Frame[] {
    return events.map(({ type, ...rest }) => ({
      type: 'data',
      event: type,
      data: { type, sequence_number: this.#sequence++, ...rest },
    }));
  }
}
