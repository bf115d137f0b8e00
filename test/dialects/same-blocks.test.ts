import fc from 'fast-check';
import { describe, it } from 'vitest';
import { z } from 'zod';
import type { Block, GenerationEvent } from '../../src/contract/events.ts';
import { Collector } from '../../src/contract/events.ts';
import type { JsonObject } from '../../src/contract/json.ts';
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts';
import type { Dialect, Frame, ParsedCall } from '../../src/dialects/dialect.ts';
import { ollamaChat } from '../../src/dialects/ollama/index.ts';
import { openaiChat } from '../../src/dialects/openai-chat/index.ts';
import { openaiCompletions } from '../../src/dialects/openai-completions/index.ts';
import { openaiResponses } from '../../src/dialects/openai-responses/index.ts';
import { expectSame } from '../support/same.ts';
import { answer, anyBlocks, eventsOf } from './anthropic-messages/events.ts';

/** What a client has in hand after an answer, whichever protocol it came by. */
interface Seen {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly { readonly name: string; readonly arguments: unknown }[];
  /** Where the protocol keeps it. */
  readonly order?: readonly Block['kind'][];
}

interface Reader {
  readonly name: string;
  /** The answer of a request that is not streamed. */
  whole(events: readonly GenerationEvent[]): Seen;
  /** What its frames add up to. */
  streamed(events: readonly GenerationEvent[]): Seen;
}

const parameters = { type: 'object' };
const toolNames = ['look', 'run_it'];
const functions = toolNames.map((name) => ({ type: 'function', function: { name, parameters } }));
const messages = [{ role: 'user', content: 'Hi' }];

function answersOf<Call extends ParsedCall>(dialect: Dialect<Call>, body: object) {
  const call = dialect.parse(body);
  return {
    whole(events: readonly GenerationEvent[]): JsonObject {
      const collector = new Collector();
      for (const event of events) collector.add(event);
      return dialect.whole(call, answer, [collector.result()]);
    },
    data(events: readonly GenerationEvent[]): unknown[] {
      const encoder = dialect.encoder(call, answer);
      const frames: Frame[] = [...events.flatMap((event) => [...encoder.encode(event, 0)]), ...encoder.end()];
      return frames.flatMap((frame) => (frame.type === 'data' ? [frame.data] : []));
    },
  };
}

const parsed = (text: string) => z.json().parse(text === '' ? {} : JSON.parse(text));
const join = (texts: readonly (string | null | undefined)[]) => texts.map((text) => text ?? '').join('');

const chatMessage = z.object({
  content: z.string().nullish(),
  reasoning: z.string().optional(),
  tool_calls: z
    .array(
      z.object({
        index: z.int().optional(),
        function: z.object({ name: z.string().optional(), arguments: z.string() }),
      }),
    )
    .optional(),
});

function chatReader(): Reader {
  const { whole, data } = answersOf(openaiChat, { messages, tools: functions });
  const wholeShape = z.object({ choices: z.tuple([z.object({ message: chatMessage })]) });
  const chunkShape = z.object({ choices: z.array(z.object({ delta: chatMessage })) });
  const seen = (parts: readonly z.output<typeof chatMessage>[]): Seen => {
    const calls: { name: string; text: string }[] = [];
    for (const [position, { index, function: piece }] of parts.flatMap((part) => [
      ...(part.tool_calls ?? []).entries(),
    ])) {
      const at = index ?? position;
      const call = calls[at] ?? { name: '', text: '' };
      calls[at] = call;
      call.name += piece.name ?? '';
      call.text += piece.arguments;
    }
    return {
      text: join(parts.map((part) => part.content)),
      reasoning: join(parts.map((part) => part.reasoning)),
      calls: calls.map(({ name, text }) => ({ name, arguments: parsed(text) })),
    };
  };
  return {
    name: 'chat completions',
    whole: (events) => seen([wholeShape.parse(whole(events)).choices[0].message]),
    streamed: (events) =>
      seen(data(events).flatMap((chunk) => chunkShape.parse(chunk).choices.map(({ delta }) => delta))),
  };
}

const outputItem = z.discriminatedUnion('type', [
  z.object({ type: z.literal('message'), content: z.array(z.object({ text: z.string() })) }),
  z.object({ type: z.literal('reasoning'), content: z.array(z.object({ text: z.string() })).optional() }),
  z.object({ type: z.literal('function_call'), name: z.string(), arguments: z.string() }),
]);

function responsesReader(): Reader {
  const tools = toolNames.map((name) => ({ type: 'function', name, parameters }));
  const { whole, data } = answersOf(openaiResponses, { input: 'Hi', tools });
  const shape = z.object({ output: z.array(outputItem) });
  const done = z.object({ type: z.literal('response.output_item.done'), item: outputItem });
  const kinds = { message: 'text', reasoning: 'reasoning', function_call: 'tool-call' } as const;
  const textIn = (items: readonly z.output<typeof outputItem>[], type: 'message' | 'reasoning') =>
    join(items.flatMap((item) => (item.type === type ? (item.content ?? []).map(({ text }) => text) : [])));
  const seen = (items: readonly z.output<typeof outputItem>[]): Seen => ({
    text: textIn(items, 'message'),
    reasoning: textIn(items, 'reasoning'),
    calls: items.flatMap((item) =>
      item.type === 'function_call' ? [{ name: item.name, arguments: parsed(item.arguments) }] : [],
    ),
    order: items.map((item) => kinds[item.type]),
  });
  return {
    name: 'responses',
    whole: (events) => seen(shape.parse(whole(events)).output),
    streamed: (events) =>
      seen(
        data(events).flatMap((event) => {
          const item = done.safeParse(event);
          return item.success ? [item.data.item] : [];
        }),
      ),
  };
}

const contentBlock = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text: z.string() }),
  z.object({ type: z.literal('thinking'), thinking: z.string() }),
  z.object({ type: z.literal('tool_use'), name: z.string(), input: z.json() }),
]);

function messagesReader(): Reader {
  const tools = toolNames.map((name) => ({ name, input_schema: parameters }));
  const { whole, data } = answersOf(anthropicMessages, { messages, tools });
  const shape = z.object({ content: z.array(contentBlock) });
  const start = z.object({ type: z.literal('content_block_start'), content_block: contentBlock });
  const piece = z.object({
    type: z.literal('content_block_delta'),
    delta: z.object({
      text: z.string().optional(),
      thinking: z.string().optional(),
      partial_json: z.string().optional(),
    }),
  });
  const kinds = { text: 'text', thinking: 'reasoning', tool_use: 'tool-call' } as const;
  const seen = (blocks: readonly z.output<typeof contentBlock>[]): Seen => ({
    text: join(blocks.map((block) => (block.type === 'text' ? block.text : ''))),
    reasoning: join(blocks.map((block) => (block.type === 'thinking' ? block.thinking : ''))),
    calls: blocks.flatMap((block) => (block.type === 'tool_use' ? [{ name: block.name, arguments: block.input }] : [])),
    order: blocks.map((block) => kinds[block.type]),
  });
  const collect = (events: readonly unknown[]) => {
    const blocks: { block: z.output<typeof contentBlock>; json: string }[] = [];
    for (const event of events) {
      const opened = start.safeParse(event);
      if (opened.success) blocks.push({ block: opened.data.content_block, json: '' });
      const grown = piece.safeParse(event);
      const last = blocks.at(-1);
      if (!grown.success || !last) continue;
      const { text = '', thinking = '', partial_json = '' } = grown.data.delta;
      if (last.block.type === 'text') last.block.text += text;
      if (last.block.type === 'thinking') last.block.thinking += thinking;
      last.json += partial_json;
    }
    return blocks.map(({ block, json }) => (block.type === 'tool_use' ? { ...block, input: parsed(json) } : block));
  };
  return {
    name: 'messages',
    whole: (events) => seen(shape.parse(whole(events)).content),
    streamed: (events) => seen(collect(data(events))),
  };
}

function ollamaReader(): Reader {
  const { whole, data } = answersOf(ollamaChat, { model: 'tiny', messages, tools: functions });
  const shape = z.object({
    message: z.object({
      content: z.string(),
      thinking: z.string().optional(),
      tool_calls: z.array(z.object({ function: z.object({ name: z.string(), arguments: z.json() }) })).optional(),
    }),
  });
  const seen = (lines: readonly unknown[]): Seen => {
    const parts = lines.map((line) => shape.parse(line).message);
    return {
      text: join(parts.map((part) => part.content)),
      reasoning: join(parts.map((part) => part.thinking)),
      calls: parts.flatMap((part) => part.tool_calls ?? []).map((call) => call.function),
    };
  };
  return { name: 'ollama chat', whole: (events) => seen([whole(events)]), streamed: (events) => seen(data(events)) };
}

const readers: readonly Reader[] = [chatReader(), responsesReader(), messagesReader(), ollamaReader()];

function wanted(events: readonly GenerationEvent[]): Required<Seen> {
  const collector = new Collector();
  for (const event of events) collector.add(event);
  const { blocks } = collector.result();
  const textIn = (kind: Block['kind']) =>
    join(blocks.map((block) => (block.kind === kind && block.kind !== 'tool-call' ? block.text : '')));
  return {
    text: textIn('text'),
    reasoning: textIn('reasoning'),
    calls: blocks.flatMap((block) =>
      block.kind === 'tool-call' ? [{ name: block.name, arguments: parsed(block.arguments) }] : [],
    ),
    order: blocks.map(({ kind }) => kind),
  };
}

describe.each(readers)('the answer by $name', ({ whole, streamed }) => {
  const check = (events: readonly GenerationEvent[]) => {
    for (const seen of [whole(events), streamed(events)]) {
      const all = wanted(events);
      expectSame(seen, seen.order ? all : { text: all.text, reasoning: all.reasoning, calls: all.calls });
    }
  };

  it('has the thinking, the texts and the calls of one and the same generation', () => {
    check(
      eventsOf([
        { kind: 'reasoning', pieces: ['Let me ', 'look.'] },
        { kind: 'text', pieces: ['Loo', 'king: ', 'ü'] },
        { kind: 'tool-call', pieces: ['{"path": "a', '/b"}'], id: 'call_a', name: 'look' },
        { kind: 'text', pieces: [' and'] },
        { kind: 'tool-call', pieces: [], id: 'call_b', name: 'run_it' },
        { kind: 'tool-call', pieces: ['{}'], id: 'call_c', name: 'look' },
      ]),
    );
  });

  it('has them for any generation', () => {
    fc.assert(fc.property(anyBlocks, (blocks) => check(eventsOf(blocks))));
  });
});

it('the answer by completions has the same texts as one text', () => {
  const { whole, data } = answersOf(openaiCompletions, { prompt: 'Hi' });
  const shape = z.object({ choices: z.array(z.object({ text: z.string() })) });
  const textOf = (body: unknown) => join(shape.parse(body).choices.map(({ text }) => text));
  fc.assert(
    fc.property(anyBlocks, (blocks) => {
      const text = blocks.flatMap(({ pieces }) => pieces).join('');
      const events = eventsOf(blocks);
      expectSame([textOf(whole(events)), join(data(events).map(textOf))], [text, text]);
    }),
  );
});
