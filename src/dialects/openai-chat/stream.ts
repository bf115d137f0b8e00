import type { ServeError } from '../../contract/errors.ts';
import type { BlockDelta, BlockKind, BlockStart, FinishEvent, GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { openaiErrorObject } from '../shared/openai-error.ts';
import { openaiFinishReason, openaiTimings, openaiUsage } from '../shared/openai-usage.ts';
import { progressOf } from '../shared/progress.ts';
import { endState, shownReason } from '../shared/server-tools.ts';
import { chatLogprobs } from './logprobs.ts';
import type { ChatCall } from './request.ts';
import { idPrefix } from './whole.ts';

const done: Frame = { type: 'raw', text: '[DONE]' };

/** Per choice: which block is open, and how many calls there were. */
interface ChoiceState {
  kind: BlockKind;
  calls: number;
  /** The open call, and those before it, that the server runs; their newest first. */
  open: ServerCall | undefined;
  serverCalls: ServerCall[];
}

interface ServerCall {
  readonly id: string;
  readonly server: string;
  readonly name: string;
  written: string;
}

/** `chat.completion.chunk` objects, one frame each. */
export class ChatStream implements StreamEncoder {
  readonly #includeUsage: boolean;
  readonly #head: JsonObject;
  readonly #choices: ChoiceState[];
  readonly #finishes: FinishEvent[] = [];

  constructor(call: ChatCall, answer: AnswerContext) {
    this.#includeUsage = call.includeUsage;
    this.#choices = call.generations.map(() => ({ kind: 'text', calls: 0, open: undefined, serverCalls: [] }));
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
        return this.#close(choice);
      case 'tool-state':
        return this.#step(choice, event.callId, { state: event.state });
      case 'tool-result': {
        const { callId, content, ms } = event;
        return this.#step(choice, callId, { state: endState(event), result: content, ms });
      }
      case 'tool-list':
      case 'round':
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
    if (event.server !== undefined) {
      state.open = { id: event.id, server: event.server, name: event.name, written: '' };
      state.serverCalls.unshift(state.open);
      return this.#step(choice, event.id, { state: 'writing' });
    }
    const call = { index: state.calls, id: event.id, type: 'function', function: { name: event.name, arguments: '' } };
    state.calls += 1;
    return [this.#delta(choice, { tool_calls: [call] })];
  }

  #grow({ delta, logprobs }: BlockDelta, choice: number): readonly Frame[] {
    const { kind, calls, open } = this.#state(choice);
    switch (kind) {
      case 'text':
        if (delta === '' && !logprobs?.length) return [];
        return [this.#delta(choice, { content: delta }, logprobs?.length ? chatLogprobs(logprobs) : null)];
      case 'reasoning':
        return delta === '' ? [] : [this.#delta(choice, { reasoning: delta, reasoning_content: delta })];
      case 'tool-call':
        if (open) open.written += delta;
        if (delta === '') return [];
        if (open) return this.#step(choice, open.id, { state: 'writing', arguments_delta: delta });
        return [this.#delta(choice, { tool_calls: [{ index: calls - 1, function: { arguments: delta } }] })];
      default:
        return kind satisfies never;
    }
  }

  /** A call that the server runs is told whole when it is, and never as one of the client's. */
  #close(choice: number): readonly Frame[] {
    const state = this.#state(choice);
    const { open } = state;
    state.open = undefined;
    return open ? this.#step(choice, open.id, { arguments: open.written, state: 'called' }) : [];
  }

  #step(choice: number, callId: string, step: JsonObject): readonly Frame[] {
    const call = this.#state(choice).serverCalls.find(({ id }) => id === callId);
    const { id, server, name } = call ?? { id: callId, server: '', name: '' };
    const tool = { server_tool: { id, server, name, ...step } };
    return [this.#chunk({ index: choice, delta: {}, logprobs: null, finish_reason: null }, tool)];
  }

  #finish(event: FinishEvent, choice: number): readonly Frame[] {
    this.#finishes.push(event);
    const { seed, cancelled } = event;
    const reason = shownReason(event.reason, this.#state(choice).calls);
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
