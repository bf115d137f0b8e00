import type { ServeError } from '../../contract/errors.ts';
import type { BlockDelta, BlockKind, BlockStart, FinishEvent, GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openaiFinishReason, openaiTimings, openaiUsage } from '../shared/openai-usage.ts';
import { progressOf } from '../shared/progress.ts';
import { chatLogprobs } from './logprobs.ts';
import type { ChatCall } from './request.ts';
import { idPrefix } from './whole.ts';

const done: Frame = { type: 'raw', text: '[DONE]' };

/** Per choice: which block is open, and how many calls there were. */
interface ChoiceState {
  kind: BlockKind;
  calls: number;
}

/** `chat.completion.chunk` objects, one frame each. */
export class ChatStream implements StreamEncoder {
  readonly #includeUsage: boolean;
  readonly #head: JsonObject;
  readonly #choices: ChoiceState[];
  readonly #finishes: FinishEvent[] = [];

  constructor(call: ChatCall, answer: AnswerContext) {
    this.#includeUsage = call.includeUsage;
    this.#choices = call.generations.map(() => ({ kind: 'text', calls: 0 }));
    this.#head = {
      id: idPrefix + answer.id,
      object: 'chat.completion.chunk',
      created: answer.created,
      model: answer.model,
    };
  }

  encode(event: GenerationEvent, choice: number): readonly Frame[] {
    switch (event.type) {
      case 'start':
        return [this.#delta(choice, { role: 'assistant', content: '' })];
      case 'block-start':
        return this.#open(event, choice);
      case 'block-delta':
        return this.#grow(event, choice);
      case 'finish':
        return this.#finish(event, choice);
      case 'queued':
      case 'prompt-progress':
        return [this.#chunk({ index: choice, delta: {}, logprobs: null, finish_reason: null }, progressOf(event))];
      case 'block-end':
      case 'prompt-logprobs':
        return [];
      default:
        return event satisfies never;
    }
  }

  end(): readonly Frame[] {
    if (!this.#includeUsage) return [done];
    const usage = openaiUsage(this.#finishes);
    return [
      { type: 'data', data: { ...this.#head, choices: [], usage, timings: openaiTimings(this.#finishes) } },
      done,
    ];
  }

  fail(error: ServeError): readonly Frame[] {
    return [{ type: 'data', data: { error: openaiErrorObject(error) } }, done];
  }

  heartbeat(): Frame {
    return { type: 'comment', text: 'still working' };
  }

  /** A call's first piece carries id and name; text and reasoning show with their first delta. */
  #open(event: BlockStart, choice: number): readonly Frame[] {
    const state = this.#state(choice);
    state.kind = event.kind;
    if (event.kind !== 'tool-call') return [];
    const call = { index: state.calls, id: event.id, type: 'function', function: { name: event.name, arguments: '' } };
    state.calls += 1;
    return [this.#delta(choice, { tool_calls: [call] })];
  }

  #grow({ delta, logprobs }: BlockDelta, choice: number): readonly Frame[] {
    const { kind, calls } = this.#state(choice);
    switch (kind) {
      case 'text':
        if (delta === '' && !logprobs?.length) return [];
        return [this.#delta(choice, { content: delta }, logprobs?.length ? chatLogprobs(logprobs) : null)];
      case 'reasoning':
        return delta === '' ? [] : [this.#delta(choice, { reasoning: delta, reasoning_content: delta })];
      case 'tool-call':
        if (delta === '') return [];
        return [this.#delta(choice, { tool_calls: [{ index: calls - 1, function: { arguments: delta } }] })];
      default:
        return kind satisfies never;
    }
  }

  #finish(event: FinishEvent, choice: number): readonly Frame[] {
    this.#finishes.push(event);
    const { reason, seed, cancelled } = event;
    const ended = { index: choice, delta: {}, logprobs: null, finish_reason: openaiFinishReason(reason), seed };
    return [this.#chunk(ended, { timings: openaiTimings([event]), ...(cancelled && { cancelled }) })];
  }

  #state(choice: number): ChoiceState {
    const state = this.#choices[choice];
    if (!state) throw new RangeError(`choice ${choice} of ${this.#choices.length}`);
    return state;
  }

  #delta(index: number, delta: JsonObject, logprobs: JsonObject | null = null): Frame {
    return this.#chunk({ index, delta, logprobs, finish_reason: null });
  }

  #chunk(choice: JsonObject, extras: JsonObject = {}): Frame {
    const usage = this.#includeUsage && { usage: null };
    return { type: 'data', data: { ...this.#head, choices: [choice], ...usage, ...extras } };
  }
}
