import { describe, expect, it } from 'vitest';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import type { ServerTool, ServerToolWish } from '../../../src/contract/server-tools.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';
import { parseMessages } from '../../../src/dialects/anthropic-messages/request.ts';
import { collect } from '../../support/collect.ts';
import { answer, finish } from './events.ts';
import { checkStreamGrammar } from './stream-grammar.ts';

const setup = { servers: () => ['files', 'web'], urls: false };
const user = { role: 'user', content: 'go' };
const read = (body: object) => parseMessages({ messages: [user], ...body }, true);
const server = (name = 'files', more: object = {}) => ({
  type: 'url',
  name,
  url: 'https://files.example/mcp',
  ...more,
});
const toolset = (more: object = {}, name = 'files') => ({ type: 'mcp_toolset', mcp_server_name: name, ...more });
const tool = (name: string): ServerTool => ({ server: 'files', name, parameters: { type: 'object' }, readOnly: false });

function wishOf(body: object): ServerToolWish {
  const wish = read(body).serverTools?.(setup);
  if (typeof wish !== 'object') throw new Error(`no wish: ${wish}`);
  return wish;
}

/** Which of three tools are offered. */
function offered(body: object): string[] {
  const [source] = wishOf(body).sources ?? [];
  return ['one', 'two', 'three'].filter((name) => source?.offers(tool(name)));
}

const newer = (more: object) => offered({ mcp_servers: [server()], tools: [toolset(more)] });
const older = (tool_configuration: object) => offered({ mcp_servers: [server('files', { tool_configuration })] });

describe('servers of tools in a message request', () => {
  it('toolsets say which tools are on', () => {
    expect(newer({})).toEqual(['one', 'two', 'three']);
    expect(newer({ default_config: { enabled: false }, configs: { two: { enabled: true } } })).toEqual(['two']);
    expect(newer({ configs: { files__two: { enabled: false } } })).toEqual(['one', 'three']);
    expect(newer({ tools: [{ name: 'three', input_schema: {} }] })).toEqual(['three']);
    // A server of the configuration needs no entry beside it.
    expect(offered({ tools: [toolset()] })).toEqual(['one', 'two', 'three']);
  });

  it('so does the tool_configuration of the older beta', () => {
    expect(offered({ mcp_servers: [server()] })).toEqual(['one', 'two', 'three']);
    expect(older({ allowed_tools: ['one', 'files__two'] })).toEqual(['one', 'two']);
    expect(older({ allowed_tools: null, enabled: null })).toEqual(['one', 'two', 'three']);
    const off = [server('files', { tool_configuration: { enabled: false } })];
    expect(read({ mcp_servers: off }).serverTools?.(setup)).toBeUndefined();
  });

  it('tools with defer_loading wait until the conversation has named them', () => {
    const deferred = { configs: { one: { defer_loading: true }, two: { defer_loading: true } } };
    expect(newer(deferred)).toEqual(['three']);
    const found = {
      role: 'user',
      content: [{ type: 'tool_result', tool_use_id: 't', content: [{ type: 'tool_reference', tool_name: 'two' }] }],
    };
    const body = { mcp_servers: [server()], tools: [toolset(deferred)] };
    expect(offered({ ...body, messages: [user, found] })).toEqual(['two', 'three']);
    const places = (more: object) =>
      ['one', 'two', 'three'].map((name) => wishOf({ ...body, ...more }).sources?.[0]?.loadedAt?.(tool(name)));
    const again = {
      role: 'assistant',
      content: [{ type: 'mcp_tool_use', id: 'u', name: 'one', server_name: 'files', input: {} }],
    };
    expect(places({ messages: [user, found, again] })).toEqual([1, 0, undefined]);
    const search = { type: 'tool_search_tool_bm25_20251119', name: 'tool_search_tool_bm25' };
    expect(offered({ ...body, tools: [toolset(deferred), search] })).toEqual(['one', 'two', 'three']);
  });

  it('what does not fit together is refused, with what there is', () => {
    const many = Array.from({ length: 1001 }, (_, index) => `tool${index}`);
    const cases: [object, RegExp][] = [
      [{ mcp_servers: [server('mail')] }, /"mail", which is not configured here. There are: files, web/],
      [{ tools: [toolset({}, 'mail')] }, /`tools` names the server of tools "mail"/],
      [{ mcp_servers: [server(), server()] }, /`mcp_servers\[1\].name` names "files" for the second time/],
      [{ mcp_servers: [server(), server('web')], tools: [toolset()] }, /"web", but no mcp_toolset/],
      [{ tools: [toolset(), toolset()] }, /`tools` names "files" for the second time/],
      [{ mcp_servers: [{ name: 'files' }] }, /mcp_servers\[0\].type/],
      [{ mcp_servers: 'files' }, /mcp_servers/],
      [
        { mcp_servers: [server('files', { tool_configuration: { allowed_tools: many } })] },
        /allowed_tools` is a list of 1001 entries, but must be at most 1000 entries long/,
      ],
      [
        { tools: [toolset({ configs: Object.fromEntries(many.map((name) => [name, {}])) })] },
        /configs` is an object of 1001 members, but must be an object of at most 1000 members/,
      ],
      [{ tools: [toolset({ tools: many.map((name) => ({ name })) })] }, /tools\[0\].tools` is a list of 1001 entries/],
      [{ mcp_servers: [server()], confirm_tools: 'writes' }, /confirm_tools/],
    ];
    for (const [body, words] of cases) expect(() => wishOf(body)).toThrow(words);
  });

  it('a URL is a place where that is allowed, for names that are not configured', () => {
    const open = { ...setup, urls: true };
    const mine = server('mail', { authorization_token: 'token' });
    const wish = read({ mcp_servers: [mine, server('files', { authorization_token: 'token' })] }).serverTools?.(open);
    if (typeof wish !== 'object') throw new Error('no wish');
    expect(wish.sources?.map(({ place }) => place)).toEqual([
      { url: mine.url, headers: { authorization: 'Bearer token' } },
      undefined,
    ]);
    expect(wish.warnings).toEqual([expect.stringMatching(/authorization_token for files was not used/)]);
  });

  it('tool_choice may be any of them, or one', () => {
    const both = { mcp_servers: [server()], tools: [toolset(), { name: 'own', input_schema: { type: 'object' } }] };
    const chosen = (tool_choice: object) => read({ ...both, tool_choice }).generations[0].prompt;
    expect(chosen({ type: 'any' })).toMatchObject({ toolChoice: { type: 'required' } });
    expect(chosen({ type: 'tool', name: 'own' })).toMatchObject({ toolChoice: { type: 'function', name: 'own' } });
    expect(chosen({ type: 'tool', name: 'one' })).toMatchObject({ toolChoice: { type: 'allowed', mode: 'required' } });
    expect(wishOf({ ...both, tool_choice: { type: 'tool', name: 'one' } }).chosen).toEqual([
      { server: 'files', name: 'one' },
    ]);
  });

  it('say nothing where the server runs no tools', () => {
    const messages = [user, { role: 'assistant', content: [{ type: 'mcp_tool_use', id: 3 }] }, user];
    const call = parseMessages({ messages, mcp_servers: 'x', tools: [{ type: 'mcp_toolset' }] });
    expect(call.serverTools).toBeUndefined();
    expect(call.warnings).toEqual([
      'mcp_servers was ignored: this server has no such service',
      'the tool mcp_toolset was left out: only custom tools can be used here',
      'mcp_tool_use blocks were skipped: this server does not know them',
    ]);
  });
});

const use = (id: string, input: object = { a: 1 }) => ({
  type: 'mcp_tool_use',
  id,
  name: 'one',
  server_name: 'files',
  input,
});
const result = (id: string, more: object = {}) => ({
  type: 'mcp_tool_result',
  tool_use_id: id,
  is_error: false,
  content: [{ type: 'text', text: `result ${id}` }],
  ...more,
});
const text = (words: string) => ({ type: 'text', text: words });

const messagesOf = (content: readonly object[], ...more: object[]) => {
  const { prompt } = read({ messages: [user, { role: 'assistant', content }, ...more] }).generations[0];
  if (prompt.type !== 'chat') throw new Error('no chat');
  return prompt.messages.slice(1).map((message) => {
    if (message.role === 'tool') return `${message.toolCallId}: ${message.content}`;
    if (message.role !== 'assistant') return message.role;
    const calls = (message.toolCalls ?? []).map(({ id, server: of, arguments: written }) => `${of}/${id}${written}`);
    return `${message.content ?? ''}[${calls.join(' ')}]`;
  });
};

describe('blocks that come back', () => {
  it('stand as the model has read them: turn by turn, results in the order of the calls', () => {
    const one = [text('Look.'), use('a'), use('b'), result('b'), result('a'), use('c'), result('c'), text('Done.')];
    expect(messagesOf(one, user)).toEqual([
      'Look.[files/a{"a": 1} files/b{"a": 1}]',
      'a: result a',
      'b: result b',
      '[files/c{"a": 1}]',
      'c: result c',
      'Done.[]',
      'user',
    ]);
  });

  it('arguments are spelled as they were written', () => {
    const written = '{"a":1,  "b":[1,2]}';
    expect(messagesOf([use('a', { a: 1, b: [1, 2] }), result('a', { raw_input: written })])[0]).toBe(
      `[files/a${written}]`,
    );
    expect(messagesOf([use('a', { a: [1, { b: null }] }), result('a')])[0]).toBe('[files/a{"a": [1, {"b": null}]}]');
    expect(messagesOf([use('a', { INVALID_JSON: '{"a' }), result('a')])[0]).toBe('[files/a{"a]');
  });

  it('a message that was paused goes on behind its last result; a call without one was not run', () => {
    expect(messagesOf([use('a'), result('a', { content: 'plain', is_error: true })])).toEqual([
      '[files/a{"a": 1}]',
      'a: plain',
    ]);
    expect(messagesOf([use('a')], user)).toEqual(['[files/a{"a": 1}]', 'a: This call was not run.', 'user']);
  });

  it("calls of the client's stand in their turn", () => {
    const own = { type: 'tool_use', id: 'own', name: 'mine', input: {} };
    const back = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'own', content: 'mine' }] };
    expect(messagesOf([use('a'), own, result('a')], back)).toEqual([
      '[files/a{"a": 1} undefined/own{}]',
      'a: result a',
      'own: mine',
    ]);
  });

  it('malformed ones are refused where they stand', () => {
    expect(() => messagesOf([{ type: 'mcp_tool_use', id: 'a' }])).toThrow(/messages\[1\].content\[0\].name/);
  });
});

const open = (
  index: number,
  id: string,
  written = '{"a": 1}',
  more: object = { server: 'files' },
): GenerationEvent[] => [
  { type: 'block-start', index, kind: 'tool-call', id, name: 'one', ...more },
  { type: 'block-delta', index, delta: written },
  { type: 'block-end', index },
];
const ended = (callId: string, isError = false): GenerationEvent => ({
  type: 'tool-result',
  callId,
  content: `result ${callId}`,
  isError,
  ms: 3,
});
const start: GenerationEvent = { type: 'start', inputTokens: 100, cachedTokens: 90 };
const round: GenerationEvent = { type: 'round', inputTokens: 120, cachedTokens: 110 };
const said: GenerationEvent[] = [
  { type: 'block-start', index: 2, kind: 'text' },
  { type: 'block-delta', index: 2, delta: 'Done.' },
  { type: 'block-end', index: 2 },
];
const call = read({ mcp_servers: [server()] });

function blocksOf(events: readonly GenerationEvent[]) {
  const encoder = anthropicMessages.encoder(call, answer);
  const frames = [...events.flatMap((event) => encoder.encode(event, 0)), ...encoder.end()];
  checkStreamGrammar(frames);
  return frames.flatMap((frame) => (frame.type === 'data' ? [frame.data as Record<string, unknown>] : []));
}

async function wholeOf(events: readonly GenerationEvent[]) {
  async function* all() {
    yield* events;
  }
  return anthropicMessages.whole(call, answer, [await collect(all())]);
}

describe('blocks of calls that the server runs', () => {
  const rounds = [finish.usage, finish.usage];
  const events = [start, ...open(0, 'a'), ...open(1, 'b', '{"b":2}'), ended('b'), ended('a', true), round, ...said];

  it('are numbered with their results, and the next turn stands behind them', () => {
    const starts = blocksOf([...events, finish]).filter(({ type }) => type === 'content_block_start');
    expect(starts).toEqual([
      { type: 'content_block_start', index: 0, content_block: use('a', {}) },
      { type: 'content_block_start', index: 1, content_block: use('b', {}) },
      { type: 'content_block_start', index: 2, content_block: result('b', { raw_input: '{"b":2}' }) },
      { type: 'content_block_start', index: 3, content_block: result('a', { is_error: true }) },
      { type: 'content_block_start', index: 4, content_block: text('') },
    ]);
  });

  it('are in whole answers too, results in the order of the calls', async () => {
    const whole = await wholeOf([...events, { ...finish, usage: { ...finish.usage, rounds } }]);
    expect(whole).toMatchObject({
      content: [use('a'), use('b', { b: 2 }), result('a', { is_error: true }), result('b'), text('Done.')],
      stop_reason: 'end_turn',
      usage: {
        iterations: [{ type: 'message', input_tokens: 10, cache_read_input_tokens: 90, output_tokens: 12 }, {}],
      },
    });
  });

  it('the limit for calls pauses the turn, calls of the client end it, what was cut has no result', async () => {
    const limit = { ...finish, reason: 'length', callLimit: true } as const;
    const calls = { ...finish, reason: 'tool-calls' } as const;
    const cut = { ...finish, reason: 'length' } as const;
    const reasons = [
      [start, ...open(0, 'a'), ended('a'), limit],
      [start, ...open(0, 'a'), ...open(1, 'own', '{}', {}), ended('a'), calls],
      [start, ...open(0, 'a'), ended('a'), calls],
      [start, ...open(0, 'a', '{"a'), cut],
    ];
    const stops = await Promise.all(reasons.map(async (each) => (await wholeOf(each)).stop_reason));
    expect(stops).toEqual(['pause_turn', 'tool_use', 'end_turn', 'max_tokens']);
    const streamed = reasons.map((each) => blocksOf(each).find(({ type }) => type === 'message_delta')?.delta);
    expect(streamed).toMatchObject(stops.map((stop_reason) => ({ stop_reason })));
  });
});
