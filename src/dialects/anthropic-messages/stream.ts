import type { ServeError } from '../../contract/errors.ts';
import type { BlockStart, GenerationEvent } from '../../contract/events.ts';
import type { JsonObject } from '../../contract/json.ts';
import type { AnswerContext, Frame, StreamEncoder } from '../dialect.ts';
import { emptyBlocks, emptyCall, emptyMessage, finishUsage, signatureFor, stopFields } from './answer.ts';
import { toErrorBody } from './error.ts';
import { mcpResultBlock } from './mcp-blocks.ts';
import type { MessagesCall } from './request.ts';

/**
 * Our events are the protocol's, one to one, but for the signature that ends a thinking block, and results of calls that
 * the server ran: each is a block too, which is whole when it begins.
 */
export class MessagesEncoder implements StreamEncoder {
  readonly #showThinking: boolean;
  readonly #answer: AnswerContext;
  /** The block that is being written, and of a thinking block the text that its signature must carry. */
  #open: { readonly kind: BlockStart['kind']; thinking: string } = { kind: 'text', thinking: '' };
  /** Blocks so far. */
  #blocks = 0;
  #clientCalls = 0;
  /** Arguments of the calls that the server runs, by their ids, as they were written. */
  readonly #serverCalls = new Map<string, string[]>();
  #written: string[] | undefined;

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
      case 'round':
        return [];
      case 'tool-result': {
        const index = this.#blocks++;
        const block = mcpResultBlock(event, (this.#serverCalls.get(event.callId) ?? []).join(''));
        return [frame('content_block_start', { index, content_block: block }), frame('content_block_stop', { index })];
      }
      case 'block-start':
        return this.#begin(event);
      case 'block-delta':
        this.#written?.push(event.delta);
        return this.#delta(this.#blocks - 1, event.delta);
      case 'block-end':
        return [...this.#signature(this.#blocks - 1), frame('content_block_stop', { index: this.#blocks - 1 })];
      case 'finish':
        return [
          frame('message_delta', {
            delta: {
              ...stopFields(event, { client: this.#clientCalls, server: this.#serverCalls.size }),
              container: null,
            },
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

  #begin(event: BlockStart): readonly Frame[] {
    this.#open = { kind: event.kind, thinking: '' };
    this.#written = undefined;
    if (event.kind === 'tool-call' && event.server !== undefined) {
      this.#written = [];
      this.#serverCalls.set(event.id, this.#written);
    } else if (event.kind === 'tool-call') this.#clientCalls++;
    return [frame('content_block_start', { index: this.#blocks++, content_block: emptyBlock(event) })];
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
  return start.kind === 'tool-call' ? emptyCall(start) : emptyBlocks[start.kind];
}

function delta(index: number, piece: JsonObject): Frame {
  return frame('content_block_delta', { index, delta: piece });
}

function frame(event: string, fields: JsonObject): Frame {
  return { type: 'data', event, data: { type: event, ...fields } };
}
