import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import type { Frame } from '../../../src/dialects/dialect.ts';
import { answer, anyBlocks, anyEnd, eventsOf, framesOf } from './events.ts';
import { checkStreamGrammar } from './stream-grammar.ts';

const startUsage = {
  input_tokens: 10,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 90,
  output_tokens: 0,
  output_tokens_details: null,
  cache_creation: null,
  server_tool_use: null,
  service_tier: null,
  inference_geo: null,
  speed: null,
};

const data = (event: string, fields: object) => ({ type: 'data', event, data: { type: event, ...fields } });
const start = (index: number, content_block: object) => data('content_block_start', { index, content_block });
const delta = (index: number, piece: object) => data('content_block_delta', { index, delta: piece });
const stop = (index: number) => data('content_block_stop', { index });
const payloads = (frames: readonly Frame[]) => frames.flatMap((frame) => (frame.type === 'data' ? [frame.data] : []));

describe('the event stream of /v1/messages', () => {
  it('tells thinking, text, a call, text again and another call in their order, each under its own index', () => {
    const frames = framesOf(
      eventsOf(
        [
          { kind: 'reasoning', pieces: ['Hm', '.'] },
          { kind: 'text', pieces: ['Look', 'ing'] },
          { kind: 'tool-call', pieces: ['{"path"', ':"a"}'], id: 'call_a', name: 'read' },
          { kind: 'text', pieces: ['And'] },
          { kind: 'tool-call', pieces: ['{}'], id: 'call_b', name: 'list' },
        ],
        { reason: 'tool-calls' },
      ),
    );
    expect(frames).toEqual([
      data('message_start', {
        message: {
          id: 'msg_7',
          type: 'message',
          role: 'assistant',
          model: 'tiny',
          content: [],
          container: null,
          diagnostics: null,
          stop_reason: null,
          stop_sequence: null,
          stop_details: null,
          usage: startUsage,
        },
      }),
      start(0, { type: 'thinking', thinking: '', signature: '' }),
      delta(0, { type: 'thinking_delta', thinking: 'Hm' }),
      delta(0, { type: 'thinking_delta', thinking: '.' }),
      delta(0, { type: 'signature_delta', signature: 'serve-model.' }),
      stop(0),
      start(1, { type: 'text', text: '' }),
      delta(1, { type: 'text_delta', text: 'Look' }),
      delta(1, { type: 'text_delta', text: 'ing' }),
      stop(1),
      start(2, { type: 'tool_use', id: 'call_a', name: 'read', input: {}, caller: { type: 'direct' } }),
      delta(2, { type: 'input_json_delta', partial_json: '{"path"' }),
      delta(2, { type: 'input_json_delta', partial_json: ':"a"}' }),
      stop(2),
      start(3, { type: 'text', text: '' }),
      delta(3, { type: 'text_delta', text: 'And' }),
      stop(3),
      start(4, { type: 'tool_use', id: 'call_b', name: 'list', input: {}, caller: { type: 'direct' } }),
      delta(4, { type: 'input_json_delta', partial_json: '{}' }),
      stop(4),
      data('message_delta', {
        delta: { stop_reason: 'tool_use', stop_sequence: null, stop_details: null, container: null },
        usage: {
          input_tokens: 10,
          cache_creation_input_tokens: 0,
          cache_read_input_tokens: 90,
          output_tokens: 12,
          output_tokens_details: { thinking_tokens: 5 },
          server_tool_use: null,
        },
        seed: 1,
      }),
      data('message_stop', {}),
    ]);
    checkStreamGrammar(frames);
  });

  it('is the protocol for any blocks and any end', () => {
    fc.assert(
      fc.property(anyBlocks, anyEnd, fc.constantFrom('summarized', 'omitted'), (blocks, end, display) => {
        checkStreamGrammar(framesOf(eventsOf(blocks, end), { thinking: { type: 'adaptive', display } }));
      }),
    );
  });

  it('is told apart from broken streams by the checker', () => {
    const frames = framesOf(
      eventsOf([
        { kind: 'reasoning', pieces: ['a'] },
        { kind: 'text', pieces: ['b'] },
      ]),
    );
    const broken: Record<string, Frame[]> = {
      'without its end': frames.slice(0, -1),
      'without the last block end': frames.filter((_, index) => index !== frames.length - 3),
      'without a signature': frames.filter((_, index) => index !== 3),
      'with a second start': [...frames.slice(0, 1), ...frames],
      'with something behind its end': [...frames, ...frames.slice(-1)],
      'with [DONE]': [...frames, { type: 'raw', text: '[DONE]' }],
      'with a block that starts in another': [...frames.slice(0, 2), ...frames.slice(5)],
    };
    for (const [name, stream] of Object.entries(broken)) expect(() => checkStreamGrammar(stream), name).toThrow();
  });

  it('says why it ended', () => {
    const ends = [
      [{ reason: 'stop' }, 'end_turn', null],
      [{ reason: 'length' }, 'max_tokens', null],
      [{ reason: 'tool-calls' }, 'tool_use', null],
      [{ reason: 'stop', stopString: '\n\nHuman:' }, 'stop_sequence', '\n\nHuman:'],
      [{ reason: 'stop', cancelled: true }, 'end_turn', null],
    ] as const;
    for (const [end, stop_reason, stop_sequence] of ends) {
      const deltas = payloads(framesOf(eventsOf([], end))).slice(1, 2);
      expect(deltas).toMatchObject([{ type: 'message_delta', delta: { stop_reason, stop_sequence } }]);
    }
  });

  it('sends no frame for deltas without text', () => {
    const frames = framesOf(
      eventsOf([
        { kind: 'text', pieces: ['', 'a', ''] },
        { kind: 'tool-call', pieces: [''] },
      ]),
    );
    const deltas = frames.filter((frame) => frame.type === 'data' && frame.event === 'content_block_delta');
    expect(deltas).toEqual([delta(0, { type: 'text_delta', text: 'a' })]);
  });

  it('leaves the thinking out of its deltas when asked to, and puts it into the signature', () => {
    const frames = framesOf(eventsOf([{ kind: 'reasoning', pieces: ['Se', 'cret'] }]), {
      thinking: { type: 'adaptive', display: 'omitted' },
    });
    expect(JSON.stringify(frames)).not.toMatch(/thinking_delta|Secret/);
    const signature = Buffer.from('Secret').toString('base64url');
    expect(frames[2]).toEqual(delta(0, { type: 'signature_delta', signature: `serve-model.${signature}` }));
  });

  it('ends with an error event and nothing behind it when the generation fails', () => {
    const call = anthropicMessages.parse({ messages: [{ role: 'user', content: 'Hi' }] });
    const encoder = anthropicMessages.encoder(call, answer);
    expect(encoder.fail(new ServeError('engine_failure', 'The engine stopped.'))).toEqual([
      {
        type: 'data',
        event: 'error',
        data: { type: 'error', error: { type: 'api_error', message: 'The engine stopped.' } },
      },
    ]);
  });

  it('keeps the connection alive with pings', () => {
    const call = anthropicMessages.parse({ messages: [{ role: 'user', content: 'Hi' }] });
    expect(anthropicMessages.encoder(call, answer).heartbeat()).toEqual(data('ping', {}));
  });
});
