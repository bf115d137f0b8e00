import { expect } from 'vitest';
import { z } from 'zod';
import type { Frame } from '../../../src/dialects/dialect.ts';
import { expectSame } from '../../support/same.ts';

const deltaTypes: Record<string, readonly string[]> = {
  text: ['text_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  mcp_tool_use: ['input_json_delta'],
  // Whole when it begins.
  mcp_tool_result: [],
};

const payload = z.looseObject({
  type: z.string(),
  index: z.int().optional(),
  content_block: z.looseObject({ type: z.string() }).optional(),
  delta: z.looseObject({ type: z.string().optional(), stop_reason: z.string().optional() }).optional(),
});

/**
 * Checks a finished stream against the protocol: `message_start`, then blocks one after the other with indexes that count
 * up, deltas only of the block's own kind and a thinking block's signature last, then `message_delta` with a reason,
 * `message_stop`, and nothing behind it. Pings may stand anywhere.
 */
export function checkStreamGrammar(frames: readonly Frame[]): void {
  let awaited: 'message_start' | 'block' | 'in-block' | 'message_stop' | 'nothing' = 'message_start';
  let next = 0;
  let block = '';
  let signed = false;
  for (const frame of frames) {
    if (frame.type !== 'data') throw new Error(`A ${frame.type} frame in a stream of events.`);
    const data = payload.parse(frame.data);
    expectSame(data.type, frame.event, 'the event name repeats the type');
    if (data.type === 'ping') continue;
    const seen = `${data.type} while ${awaited} was awaited`;
    switch (data.type) {
      case 'message_start':
        expectSame(awaited, 'message_start', seen);
        awaited = 'block';
        break;
      case 'content_block_start':
        expectSame([awaited, data.index], ['block', next], seen);
        block = data.content_block?.type ?? '';
        expect(Object.keys(deltaTypes)).toContain(block);
        signed = false;
        awaited = 'in-block';
        break;
      case 'content_block_delta':
        expectSame([awaited, data.index], ['in-block', next], seen);
        expect(deltaTypes[block], `delta of a ${block} block`).toContain(data.delta?.type);
        expectSame(signed, false, 'a delta behind the signature');
        signed = data.delta?.type === 'signature_delta';
        break;
      case 'content_block_stop':
        expectSame([awaited, data.index], ['in-block', next], seen);
        expectSame(signed, block === 'thinking', 'thinking blocks, and only they, are signed');
        next += 1;
        awaited = 'block';
        break;
      case 'message_delta':
        expectSame(awaited, 'block', seen);
        expect(['end_turn', 'max_tokens', 'stop_sequence', 'tool_use', 'pause_turn']).toContain(
          data.delta?.stop_reason,
        );
        awaited = 'message_stop';
        break;
      case 'message_stop':
        expectSame(awaited, 'message_stop', seen);
        awaited = 'nothing';
        break;
      default:
        throw new Error(`Unknown event ${data.type}.`);
    }
  }
  expectSame(awaited, 'nothing', 'the stream ended early');
}
