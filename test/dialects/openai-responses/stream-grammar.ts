import { expect } from 'vitest';
import type { Frame } from '../../../src/dialects/dialect.ts';
import { expectSame } from '../../support/same.ts';

/** One event of a Responses stream, however it was received. */
export type WireEvent = Readonly<Record<string, unknown>> & { readonly type: string; readonly sequence_number: number };

interface WireItem {
  readonly id: string;
  readonly type: string;
  /** Lists of tools and questions about calls have none. */
  readonly status?: string;
}

/** Which events each kind of item may show between its `added` and its `done`, and where its text ends up. */
interface ItemRules {
  readonly opening: readonly string[];
  readonly delta: string;
  readonly closing: readonly string[];
  readonly textOf: (item: never) => unknown;
}

const reasoningText: ItemRules = {
  opening: ['response.content_part.added'],
  delta: 'response.reasoning_text.delta',
  closing: ['response.reasoning_text.done', 'response.content_part.done'],
  textOf: (item: { content: [{ text: string }] }) => item.content[0].text,
};
const reasoningSummary: ItemRules = {
  opening: ['response.reasoning_summary_part.added'],
  delta: 'response.reasoning_summary_text.delta',
  closing: ['response.reasoning_summary_text.done', 'response.reasoning_summary_part.done'],
  textOf: (item: { summary: [{ text: string }] }) => item.summary[0].text,
};
const rules: Readonly<Record<string, readonly ItemRules[]>> = {
  message: [
    {
      opening: ['response.content_part.added'],
      delta: 'response.output_text.delta',
      closing: ['response.output_text.done', 'response.content_part.done'],
      textOf: (item: { content: [{ text: string }] }) => item.content[0].text,
    },
  ],
  reasoning: [reasoningText, reasoningSummary],
  function_call: [
    {
      opening: [],
      delta: 'response.function_call_arguments.delta',
      closing: ['response.function_call_arguments.done'],
      textOf: (item: { arguments: string }) => item.arguments,
    },
  ],
  mcp_list_tools: [
    ...['completed', 'failed'].map((end) => ({
      opening: ['response.mcp_list_tools.in_progress', `response.mcp_list_tools.${end}`],
      delta: '',
      closing: [],
      textOf: () => '',
    })),
  ],
  mcp_call: [
    {
      opening: ['response.mcp_call.in_progress'],
      delta: 'response.mcp_call_arguments.delta',
      closing: ['response.mcp_call_arguments.done', 'response.mcp_call.'],
      textOf: (item: { arguments: string }) => item.arguments,
    },
  ],
  mcp_approval_request: [{ opening: [], delta: '', closing: [], textOf: () => '' }],
  // It has no deltas: its arguments are an object, which comes whole.
  tool_search_call: [{ opening: [], delta: '', closing: [], textOf: () => '' }],
  custom_tool_call: [
    {
      opening: [],
      delta: 'response.custom_tool_call_input.delta',
      closing: ['response.custom_tool_call_input.done'],
      textOf: (item: { input: string }) => item.input,
    },
  ],
};

/** The data of an encoder's frames; their event names must repeat the type. */
export function wireEvents(frames: readonly Frame[]): WireEvent[] {
  const sent = frames.flatMap((frame) => (frame.type === 'comment' ? [] : [frame]));
  const events: WireEvent[] = sent.map((frame) => JSON.parse(JSON.stringify(frame.type === 'data' ? frame.data : {})));
  expectSame(
    events.map((event) => event.type),
    sent.map((frame) => (frame.type === 'data' ? frame.event : '')),
  );
  return events;
}

/**
 * Fails on every stream that breaks the grammar of the Responses API: `created in_progress item* terminal`, numbered from
 * `firstNumber` without gaps; an item is `added opening delta* closing done`; texts of `done` events are what the deltas
 * add up to; the terminal response repeats the items. Returns the terminal response.
 */
export function expectResponsesStream(events: readonly WireEvent[], firstNumber = 0) {
  expectSame(
    events.map((event) => event.sequence_number),
    events.map((_, index) => firstNumber + index),
  );
  const types = events.map((event) => event.type);
  expectSame(types.slice(0, 2), ['response.created', 'response.in_progress']);
  for (const event of events.slice(0, 2))
    expectPart(event.response, { status: 'in_progress', output: [], usage: undefined });
  const ending = types.at(-1) === 'response.failed' ? 2 : 1;
  const items = readItems(events.slice(2, -ending), ending === 2);
  if (ending === 2) expectSame(types.at(-2), 'error');
  return expectTerminal(events.at(-1), events[0], items);
}

function expectTerminal(terminal: WireEvent | undefined, first: WireEvent | undefined, items: readonly WireItem[]) {
  const statuses: Readonly<Record<string, readonly string[]>> = {
    'response.completed': ['completed'],
    'response.incomplete': ['incomplete', 'cancelled'],
    'response.failed': ['failed'],
  };
  const response = terminal?.response as { id: string; status: string; output: WireItem[]; [field: string]: unknown };
  expect(statuses[terminal?.type ?? ''] ?? []).toContain(response.status);
  expectPart(first?.response, { id: response.id });
  if (response.status === 'failed') expectSame(response.output.slice(0, items.length), items);
  else expectSame(response.output, items);
  const ends = response.output.filter(({ type, status }) => status !== undefined && type !== 'mcp_call');
  const ended = ends.map((item) => item.status);
  expectSame(
    ended.slice(0, -1),
    ended.slice(0, -1).map(() => 'completed'),
  );
  const cut = response.status === 'incomplete' || response.status === 'cancelled';
  const isLast = ends.length > 0 && ends.at(-1) === response.output.at(-1);
  if (isLast && response.status !== 'failed') expectSame(ended.at(-1), cut ? 'incomplete' : 'completed');
  return response;
}

/**
 * Items that were closed, in order. A failed stream may leave its last one open. One is open at a time, but for calls
 * that the server runs: their results come behind the items of their turn.
 */
function readItems(events: readonly WireEvent[], mayBreakOff: boolean): WireItem[] {
  const own = new Map<unknown, WireEvent[]>();
  let open: unknown;
  for (const event of events) {
    const index = event.output_index;
    if (event.type === 'response.output_item.added') {
      expectSame([index, open], [own.size, undefined]);
      own.set(index, [event]);
      if (event.item && (event.item as WireItem).type !== 'mcp_call') open = index;
      continue;
    }
    if (open !== undefined && index !== open) expectSame(index, open);
    own.get(index)?.push(event);
    if (event.type === 'response.output_item.done' && index === open) open = undefined;
  }
  const items = [...own.values()].flatMap((each, index) => {
    const closed = each.at(-1)?.type === 'response.output_item.done';
    if (!closed) expect(mayBreakOff, 'an item was not closed').toBe(true);
    return readItem(each, index, closed) ?? [];
  });
  expectSame(new Set(items.map((item) => item.id)).size, items.length);
  return items;
}

function readItem(events: readonly WireEvent[], outputIndex: number, closed: boolean): WireItem | undefined {
  const [added, ...inner] = events;
  expectPart(added, { type: 'response.output_item.added', output_index: outputIndex });
  const started = added?.item as WireItem;
  const isWhole = started.type === 'mcp_list_tools' || started.type === 'mcp_approval_request';
  expectSame(started.status, isWhole ? undefined : 'in_progress');
  const body = closed ? inner.slice(0, -1) : inner;
  const places = inner.map((event) => [event.output_index, event.item_id]);
  expectSame(
    places,
    inner.map((_, index) => [outputIndex, index < body.length ? started.id : undefined]),
  );
  const deltas = body.filter((event) => event.type.endsWith('.delta'));
  const types = body.map((event) => event.type);
  const rule = rules[started.type]?.find(({ opening }) => opening.every((type, index) => types[index] === type));
  expect(rule, `no grammar for ${started.type}: ${types.join(' ')}`).toBeDefined();
  if (!rule) return undefined;
  const last = closed ? (inner.at(-1)?.item as WireItem) : undefined;
  // A call that was cut has no result.
  const isNotRun = started.type === 'mcp_call' && last?.status === 'incomplete';
  const closing =
    closed && !isNotRun ? rule.closing.map((type) => (type.endsWith('.') ? type + last?.status : type)) : [];
  expectSame(types, [...rule.opening, ...deltas.map(() => rule.delta), ...closing]);
  if (!closed) return undefined;
  const item = inner.at(-1)?.item as WireItem;
  expectPart(item, { id: started.id, type: started.type });
  const text = deltas.map((event) => event.delta).join('');
  expectSame(rule.textOf(item as never), text);
  const texts = body.slice(body.length - closing.length).filter(({ type }) => type.endsWith('.done'));
  expectSame(
    texts.map(doneText),
    texts.map(() => text),
  );
  return item;
}

/** These fields of the value, whatever the others are. */
function expectPart(value: unknown, fields: Readonly<Record<string, unknown>>): void {
  const found: Record<string, unknown> = Object(value);
  expectSame(Object.fromEntries(Object.keys(fields).map((name) => [name, found[name]])), fields);
}

function doneText(event: WireEvent): unknown {
  const part = event.part as { text: string } | undefined;
  return part?.text ?? event.text ?? event.arguments ?? event.input;
}
