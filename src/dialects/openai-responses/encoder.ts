import type { ServeError } from '../../contract/errors.ts';
import type { BlockStart, FinishEvent, GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openItem } from './open-item.ts';
import type { ItemEvent, ItemStatus, OutputItem } from './output-item.ts';
import type { ResponsesCall } from './request.ts';
import { finishedStatus, type ResponseState, responseObject } from './response.ts';

/**
 * Generation events -> the events of a Responses stream, numbered without gaps, with exactly one terminal event. An item
 * that has ended is closed by the next event only: whether it is complete or was cut off is known then.
 */
export class ResponsesEncoder implements StreamEncoder {
  readonly #call: ResponsesCall;
  readonly #answer: AnswerContext;
  readonly #output: JsonObject[] = [];
  #sequence = 0;
  #phase: 'before' | 'running' | 'over' = 'before';
  #item: OutputItem | undefined;

  constructor(call: ResponsesCall, answer: AnswerContext) {
    this.#call = call;
    this.#answer = answer;
  }

  encode(event: GenerationEvent): readonly Frame[] {
    switch (event.type) {
      case 'start':
        return this.#begin();
      case 'queued':
      case 'prompt-progress':
      case 'prompt-logprobs':
      case 'tool-state':
      case 'tool-result':
      case 'round':
      case 'block-end':
        return [];
      case 'block-start':
        return [...this.#closeItem('completed'), ...this.#openItem(event)];
      case 'block-delta':
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
    if (this.#phase === 'over') return [];
    const begin = this.#phase === 'before' ? this.#begin() : [];
    this.#phase = 'over';
    const { message, code = null, param = null } = openaiErrorObject(error);
    const output = this.#item ? [...this.#output, this.#item.object('incomplete')] : this.#output;
    return [
      ...begin,
      ...this.#frames([
        { type: 'error', code, message, param },
        { type: 'response.failed', response: this.#response({ status: 'failed', output, error }) },
      ]),
    ];
  }

  heartbeat(): Frame {
    return { type: 'comment', text: 'still working' };
  }

  #begin(): readonly Frame[] {
    this.#phase = 'running';
    const response = this.#response({ status: 'in_progress', output: [] });
    return this.#frames([
      { type: 'response.created', response },
      { type: 'response.in_progress', response },
    ]);
  }

  #openItem(event: BlockStart): readonly Frame[] {
    const { directory, show } = this.#call;
    const item = openItem(event, {
      outputIndex: this.#output.length,
      newId: this.#answer.newId,
      show,
      findTool: (name) => directory.find(name),
    });
    this.#item = item;
    return this.#frames([this.#itemEvent('response.output_item.added', item, 'in_progress'), ...item.begin()]);
  }

  #closeItem(status: ItemStatus): readonly Frame[] {
    const item = this.#item;
    if (item === undefined) return [];
    const last = item.end();
    const done = this.#itemEvent('response.output_item.done', item, status);
    this.#item = undefined;
    this.#output.push(item.object(status));
    return this.#frames([...last, done]);
  }

  #itemEvent(type: string, item: OutputItem, status: ItemStatus): ItemEvent {
    return { type, output_index: this.#output.length, item: item.object(status) };
  }

  #finish(finish: FinishEvent): readonly Frame[] {
    const status = finishedStatus(finish);
    const closing = this.#closeItem(status === 'completed' ? 'completed' : 'incomplete');
    this.#phase = 'over';
    const type = status === 'completed' ? 'response.completed' : 'response.incomplete';
    return [
      ...closing,
      ...this.#frames([{ type, response: this.#response({ status, output: this.#output, finish }) }]),
    ];
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
