import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { GenerationEvent, TokenLogprob } from '../../../src/contract/events.ts';
import { ResponsesEncoder } from '../../../src/dialects/openai-responses/encoder.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { parseResponses } from '../../../src/dialects/openai-responses/request.ts';
import { collect } from '../../support/collect.ts';
import {
  answerContext,
  type BlockScript,
  callBlock,
  finish,
  frames,
  generation,
  reasoningBlock,
  start,
  textBlock,
} from './events.ts';
import { expectResponsesStream, wireEvents } from './stream-grammar.ts';

const tools = [
  { type: 'function', name: 'look', parameters: { type: 'object' } },
  { type: 'custom', name: 'patch' },
  { type: 'namespace', name: 'crm', description: 'customers', tools: [{ type: 'function', name: 'find' }] },
];

function types(body: object, events: readonly GenerationEvent[]): string[] {
  const wire = wireEvents(frames(body, events));
  expectResponsesStream(wire);
  return wire.map((event) => event.type.replace('response.', ''));
}

describe('the stream of a response', () => {
  it('names every step of a text answer', () => {
    expect(types({}, generation([textBlock('Hel', 'lo')]))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'content_part.added',
      'output_text.delta',
      'output_text.delta',
      'output_text.done',
      'content_part.done',
      'output_item.done',
      'completed',
    ]);
  });

  it('shows reasoning as text, or as a summary to clients that ask for one', () => {
    const events = generation([reasoningBlock('Let me', ' see')]);
    expect(types({}, events)).toContain('reasoning_text.delta');
    const asked = types({ reasoning: { summary: 'auto' } }, events);
    expect(asked).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'reasoning_summary_part.added',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.delta',
      'reasoning_summary_text.done',
      'reasoning_summary_part.done',
      'output_item.done',
      'completed',
    ]);
  });

  it('streams the arguments of a function and names the namespace that the client declared', () => {
    const wire = wireEvents(frames({ tools }, generation([callBlock('crm__find', '{"id"', ':1}')])));
    const response = expectResponsesStream(wire);
    expect(wire.filter((event) => event.type === 'response.function_call_arguments.delta')).toHaveLength(2);
    expect(response.output).toEqual([
      {
        type: 'function_call',
        id: 'fc_0',
        status: 'completed',
        call_id: 'call_crm__find',
        name: 'find',
        namespace: 'crm',
        arguments: '{"id":1}',
      },
    ]);
  });

  it('turns the arguments of a free-form tool back into its raw input', () => {
    const wire = wireEvents(frames({ tools }, generation([callBlock('patch', '{"in', 'put": "a\\', 'n\\"b', '"}')])));
    const response = expectResponsesStream(wire);
    const deltas = wire.filter((event) => event.type === 'response.custom_tool_call_input.delta');
    expect(deltas.map((event) => event.delta)).toEqual(['a', '\n"b']);
    expect(response.output).toEqual([
      {
        type: 'custom_tool_call',
        id: 'ctc_0',
        status: 'completed',
        call_id: 'call_patch',
        name: 'patch',
        input: 'a\n"b',
      },
    ]);
  });

  it('keeps reasoning, text and calls in the order they were generated', () => {
    const blocks = [
      reasoningBlock('first'),
      textBlock('Looking.'),
      callBlock('look', '{}'),
      reasoningBlock('second'),
      callBlock('patch', '{"input":"x"}'),
      callBlock('look', '{}'),
      textBlock('Done.'),
    ];
    const response = expectResponsesStream(wireEvents(frames({ tools }, generation(blocks))));
    expect(response.output.map((item) => item.type)).toEqual([
      'reasoning',
      'message',
      'function_call',
      'reasoning',
      'custom_tool_call',
      'function_call',
      'message',
    ]);
  });

  it.each([
    ['the end of the token limit', finish({ reason: 'length' }), 'incomplete', { reason: 'max_output_tokens' }],
    ['a cancel call', finish({ cancelled: true }), 'cancelled', null],
  ])('says that %s cut the last item off', (_, end, status, details) => {
    const wire = wireEvents(frames({}, generation([reasoningBlock('hm'), textBlock('cut o')], end)));
    const response = expectResponsesStream(wire);
    expect(wire.at(-1)?.type).toBe('response.incomplete');
    expect(response).toMatchObject({ status, incomplete_details: details, completed_at: null });
    expect(response.output.map((item) => item.status)).toEqual(['completed', 'incomplete']);
  });

  it('completes without an item when the model says nothing', () => {
    expect(types({}, generation([]))).toEqual(['created', 'in_progress', 'completed']);
  });

  it('ends a failure with an error event and response.failed, and leaves the open item open', () => {
    const encoder = new ResponsesEncoder(parseResponses({ input: 'hi' }), answerContext());
    const events = generation([textBlock('Hel', 'lo')]).slice(0, 3);
    const error = new ServeError('engine_failure', 'The engine stopped. Send the request again.');
    const wire = wireEvents([...events.flatMap((event) => encoder.encode(event)), ...encoder.fail(error)]);
    const response = expectResponsesStream(wire);
    expect(wire.at(-2)).toEqual({
      type: 'error',
      sequence_number: 5,
      code: 'engine_failure',
      message: 'The engine stopped. Send the request again.',
      param: null,
    });
    expect(response.error).toEqual({ code: 'server_error', message: 'The engine stopped. Send the request again.' });
    expect(wire.map((event) => event.type)).not.toContain('response.output_item.done');
  });

  it.each([
    ['context_length_exceeded', 'context_length_exceeded'],
    ['overloaded', 'rate_limit_exceeded'],
    ['invalid_request', 'invalid_prompt'],
    ['internal', 'server_error'],
  ] as const)('tells a client that %s is %s, even before the first event', (code, wanted) => {
    const encoder = new ResponsesEncoder(parseResponses({ input: 'hi' }), answerContext());
    const response = expectResponsesStream(wireEvents(encoder.fail(new ServeError(code, 'No.'))));
    expect(response.error).toEqual({ code: wanted, message: 'No.' });
  });

  it('says nothing more after its terminal event', () => {
    const encoder = new ResponsesEncoder(parseResponses({ input: 'hi' }), answerContext());
    for (const event of generation([])) encoder.encode(event);
    expect(encoder.fail(new ServeError('internal', 'No.'))).toEqual([]);
    expect(encoder.end()).toEqual([]);
  });

  it('carries log probabilities in deltas and parts when they were asked for', () => {
    const token: TokenLogprob = {
      token: 1,
      text: 'Hi',
      bytes: [72, 105],
      logprob: -0.5,
      top: [{ token: 2, text: 'Ho', bytes: [72, 111], logprob: Number.NEGATIVE_INFINITY }],
    };
    const shown = {
      token: 'Hi',
      bytes: [72, 105],
      logprob: -0.5,
      top_logprobs: [{ token: 'Ho', bytes: [72, 111], logprob: -9999 }],
    };
    const events: GenerationEvent[] = [
      start,
      { type: 'block-start', index: 0, kind: 'text' },
      { type: 'block-delta', index: 0, delta: 'Hi', logprobs: [token] },
      { type: 'block-end', index: 0 },
      finish(),
    ];
    const asked = wireEvents(frames({ include: ['message.output_text.logprobs'], top_logprobs: 1 }, events));
    expect(asked.find((event) => event.type.endsWith('delta'))?.logprobs).toEqual([shown]);
    expect(expectResponsesStream(asked).output).toMatchObject([{ content: [{ logprobs: [shown] }] }]);
    const silent = wireEvents(frames({}, events));
    expect(expectResponsesStream(silent).output).toMatchObject([{ content: [{ logprobs: [] }] }]);
  });

  it('gives the reasoning along as encrypted_content when the client wants to replay it', () => {
    const include = ['reasoning.encrypted_content'];
    const response = expectResponsesStream(
      wireEvents(frames({ include, reasoning: { summary: 'auto' } }, generation([reasoningBlock('sum é')]))),
    );
    const [item] = response.output as unknown as { encrypted_content: string }[];
    const replay = { type: 'reasoning', summary: [], encrypted_content: item?.encrypted_content };
    const call = parseResponses({
      input: [{ role: 'user', content: 'hi' }, replay, { role: 'assistant', content: 'a' }],
    });
    expect(call.generations[0]?.prompt).toMatchObject({
      messages: [
        { role: 'user', content: 'hi' },
        { role: 'assistant', content: 'a', reasoning: 'sum é' },
      ],
    });
  });
});

describe('the whole answer', () => {
  it('is the response of the terminal event', async () => {
    const call = parseResponses({ input: 'hi', tools, metadata: { a: 'b' } });
    const events = generation([reasoningBlock('r'), textBlock('a', 'b'), callBlock('look', '{', '}')]);
    const streamed = wireEvents(frames(call, events)).at(-1)?.response;
    const result = await collect(
      (async function* () {
        yield* events;
      })(),
    );
    const whole = openaiResponses.whole(call, answerContext(), [result]);
    expect(JSON.parse(JSON.stringify(whole))).toEqual(streamed);
  });

  it('has every field of the API with its default', () => {
    const response = expectResponsesStream(wireEvents(frames({}, generation([textBlock('Hello')]))));
    expect(response).toEqual({
      id: 'resp_0af1',
      object: 'response',
      created_at: 1_760_000_000,
      completed_at: 1_760_000_002,
      status: 'completed',
      error: null,
      incomplete_details: null,
      model: 'demo',
      output: [
        {
          type: 'message',
          id: 'msg_0',
          status: 'completed',
          role: 'assistant',
          content: [{ type: 'output_text', text: 'Hello', annotations: [], logprobs: [] }],
        },
      ],
      usage: {
        input_tokens: 12,
        input_tokens_details: { cached_tokens: 5, cache_write_tokens: 0 },
        output_tokens: 7,
        output_tokens_details: { reasoning_tokens: 3 },
        total_tokens: 19,
      },
      seed: 1,
      background: false,
      instructions: null,
      max_output_tokens: null,
      max_tool_calls: null,
      parallel_tool_calls: true,
      previous_response_id: null,
      reasoning: { effort: null, summary: null },
      service_tier: 'default',
      store: false,
      temperature: 1,
      top_p: 1,
      presence_penalty: 0,
      frequency_penalty: 0,
      top_logprobs: 0,
      text: { format: { type: 'text' }, verbosity: 'medium' },
      tool_choice: 'auto',
      tools: [],
      truncation: 'disabled',
      metadata: {},
    });
  });

  it('repeats the settings of its request, store among them as what really happened', () => {
    const asked = {
      instructions: 'Be brief.',
      max_output_tokens: 9,
      max_tool_calls: 2,
      parallel_tool_calls: false,
      prompt_cache_key: 'k',
      reasoning: { effort: 'low', summary: 'auto' },
      safety_identifier: 's',
      service_tier: 'flex',
      temperature: 0.5,
      top_p: 0.9,
      top_logprobs: 2,
      text: {
        format: { type: 'json_schema', name: 'n', schema: { type: 'object' }, description: 'd' },
        verbosity: 'low',
      },
      tool_choice: { type: 'function', name: 'look' },
      tools,
      truncation: 'auto',
      metadata: { a: 'b' },
      user: 'u',
    };
    const response = expectResponsesStream(wireEvents(frames({ ...asked, store: true }, generation([]))));
    expect(response).toMatchObject({ ...asked, store: false, service_tier: 'default' });
  });
});

describe('random block streams', () => {
  const text = fc.string({ unit: fc.constantFrom('a', ' ', '"', '\\', '{', '}', '\n', 'é', '😀'), maxLength: 20 });
  const pieces = fc.array(text, { maxLength: 5 });
  const block: fc.Arbitrary<BlockScript> = fc.oneof(
    fc.record({ kind: fc.constantFrom('text' as const, 'reasoning' as const), pieces }),
    fc.record({
      kind: fc.constant('tool-call' as const),
      id: fc.string(),
      name: fc.constantFrom('look', 'crm__find', 'find', 'unheard-of'),
      pieces,
    }),
    fc
      .tuple(text, fc.array(fc.nat(40), { maxLength: 4 }), fc.boolean())
      .map(([input, cuts, wellFormed]): BlockScript => {
        const written = wellFormed ? JSON.stringify({ input }) : input;
        return { kind: 'tool-call', id: 'c', name: 'patch', pieces: cutAt(written, cuts) };
      }),
  );
  const script = fc.record({
    blocks: fc.array(block, { maxLength: 6 }),
    end: fc.constantFrom(
      finish(),
      finish({ reason: 'length' }),
      finish({ reason: 'tool-calls' }),
      finish({ cancelled: true }),
    ),
    breakAt: fc.option(fc.nat(30)),
    summary: fc.boolean(),
  });

  const plain = parseResponses({ input: 'hi', tools });
  const withSummary = parseResponses({ input: 'hi', tools, reasoning: { summary: 'auto' } });

  it('keep the grammar wherever they end or break', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(script, ({ blocks, end, breakAt, summary }) => {
        const encoder = new ResponsesEncoder(summary ? withSummary : plain, answerContext());
        const events = generation(blocks, end);
        const reached = breakAt === null ? events : events.slice(0, breakAt);
        const sent = reached.flatMap((event) => encoder.encode(event));
        const broken = reached.length < events.length ? encoder.fail(new ServeError('internal', 'No.')) : [];
        const response = expectResponsesStream(wireEvents([...sent, ...broken, ...encoder.end()]));
        expect(response.status === 'failed').toBe(reached.length < events.length);
      }),
      { numRuns: 1000 },
    );
  });
});

function cutAt(text: string, cuts: readonly number[]): string[] {
  const places = [0, ...cuts.filter((cut) => cut < text.length).sort((left, right) => left - right), text.length];
  return places.slice(1).map((end, index) => text.slice(places[index], end));
}
