import type { ServeError } from '../../contract/errors.ts';
import type { BlockStart, GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { emptyBlocks, emptyMessage, emptyToolUse, finishUsage, signatureFor, stopFields } from './answer.ts';
import { toErrorBody } from './error.ts';
import type { MessagesCall } from './request.ts';

/** Our events are the protocol's, one to one, but for the signature that ends a thinking block. */
export class MessagesEncoder implements StreamEncoder {
  readonly #showThinking: boolean;
  readonly #answer: AnswerContext;
  /** The block that is being written, and of a thinking block the text that its signature must carry. */
  #open: { readonly kind: BlockStart['kind']; thinking: string } = { kind: 'text', thinking: '' };

  constructor(call: MessagesCall, answer: AnswerContext) {
    this.#showThinking = call.showThinking;
    this.#answer = answer;
  }

  encode(event: GenerationEvent): readonly Frame[] {
    switch (event.type) {
      case 'start':
        return [frame('message_start', { message: emptyMessage(this.#answer, event) })];
      case 'queued':
      case 'prompt-progress':
      case 'prompt-logprobs':
      case 'tool-list':
      case 'tool-state':
      case 'tool-result':
      case 'round':
        return [];
      case 'block-start':
        this.#open = { kind: event.kind, thinking: '' };
        return [frame('content_block_start', { index: event.index, content_block: emptyBlock(event) })];
      case 'block-delta':
        return this.#delta(event.index, event.delta);
      case 'block-end':
        return [...this.#signature(event.index), frame('content_block_stop', { index: event.index })];
      case 'finish':
        return [
          frame('message_delta', {
            delta: { ...stopFields(event), container: null },
            usage: finishUsage(event),
            seed: event.seed,
          }),
        ];
      default:
        return event satisfies never;
    }
  }

  end(): readonly Frame[] {
    return [frame('message_stop', {})];
  }

  fail(error: ServeError): readonly Frame[] {
    return [{ type: 'data', event: 'error', data: toErrorBody(error).body }];
  }

  heartbeat(): Frame {
    return frame('ping', {});
  }

  #delta(index: number, text: string): readonly Frame[] {
    // Empty ones only carry log probabilities, which this protocol has no place for.
    if (text === '') return [];
    switch (this.#open.kind) {
      case 'text':
        return [delta(index, { type: 'text_delta', text })];
      case 'tool-call':
        return [delta(index, { type: 'input_json_delta', partial_json: text })];
      case 'reasoning':
        if (this.#showThinking) return [delta(index, { type: 'thinking_delta', thinking: text })];
        this.#open.thinking += text;
        return [];
      default:
        return this.#open.kind satisfies never;
    }
  }

  #signature(index: number): readonly Frame[] {
    if (this.#open.kind !== 'reasoning') return [];
    const signature = signatureFor(this.#open.thinking, this.#showThinking);
    return [delta(index, { type: 'signature_delta', signature })];
  }
}

function emptyBlock(start: BlockStart): JsonObject {
  return start.kind === 'tool-call' ? emptyToolUse(start) : emptyBlocks[start.kind];
}

function delta(index: number, piece: JsonObject): Frame {
  return frame('content_block_delta', { index, delta: piece });
}

function frame(event: string, fields: JsonObject): Frame {
  return { type: 'data', event, data: { type: event, ...fields } };
}
