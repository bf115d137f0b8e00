import { describe, expect, it } from 'vitest';
import type { GenerationEvent } from '../../../src/contract/events.ts';
import type { ChatPrompt } from '../../../src/contract/request.ts';
import type { ServerTool, ServerToolWish } from '../../../src/contract/server-tools.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { parseResponses } from '../../../src/dialects/openai-responses/request.ts';
import { collect } from '../../support/collect.ts';
import { answerContext, finish, frames, start } from './events.ts';
import { expectResponsesStream, wireEvents } from './stream-grammar.ts';

const setup = { servers: () => ['files', 'web'], urls: false };
const read = (body: object) => parseResponses({ input: 'hi', ...body }, { withTools: true });
const mcp = (more: object = {}) => ({ type: 'mcp', server_label: 'files', ...more });

function wishOf(body: object): ServerToolWish {
  const wish = read(body).serverTools?.(setup);
  if (typeof wish !== 'object') throw new Error(`no wish: ${wish}`);
  return wish;
}

function chatOf(body: object): ChatPrompt {
  const [generation] = read(body).generations;
  if (generation?.prompt.type !== 'chat') throw new Error('no chat');
  return generation.prompt;
}

const tool = (name: string, readOnly = false): ServerTool => ({
  server: 'files',
  name,
  parameters: { type: 'object' },
  readOnly,
});

/** Of tools that only read and of others, which are offered and which are asked about. */
function verdicts(more: object): [offered: string[], asked: string[]] {
  const [source] = wishOf({ tools: [mcp(more)] }).sources ?? [];
  const all = [tool('read', true), tool('list', true), tool('write')];
  const named = (holds: ((each: ServerTool) => boolean) | undefined) =>
    all.filter((each) => holds?.(each)).map(({ name }) => name);
  return [named(source?.offers), named(source?.asks)];
}

describe('mcp tools', () => {
  it.each([
    [{}, ['read', 'list', 'write'], ['read', 'list', 'write']],
    [{ require_approval: 'always' }, ['read', 'list', 'write'], ['read', 'list', 'write']],
    [{ require_approval: 'never' }, ['read', 'list', 'write'], []],
    [{ require_approval: { never: { read_only: true } } }, ['read', 'list', 'write'], ['write']],
    [{ require_approval: { never: { tool_names: ['list', 'files__write'] } } }, ['read', 'list', 'write'], ['read']],
    [{ require_approval: { always: { tool_names: ['write'] } } }, ['read', 'list', 'write'], ['write']],
    [
      { require_approval: { always: { tool_names: ['list'] }, never: { read_only: true } } },
      ['read', 'list', 'write'],
      ['list', 'write'],
    ],
    // What the Agents SDK makes of a list that was not given.
    [
      { require_approval: { always: { tool_names: ['write'] }, never: { tool_names: [] } } },
      ['read', 'list', 'write'],
      ['write'],
    ],
    [{ allowed_tools: ['read', 'files__write'], require_approval: 'never' }, ['read', 'write'], []],
    [{ allowed_tools: { read_only: true }, require_approval: 'never' }, ['read', 'list'], []],
    [{ allowed_tools: { read_only: true, tool_names: ['list', 'write'] }, require_approval: 'never' }, ['list'], []],
    [{ allowed_tools: [], require_approval: 'never' }, [], []],
  ])('%j', (more, offered, asked) => {
    expect(verdicts(more)).toEqual([offered, asked]);
  });

  it('are refused where they name what is not there, and the error says what is', () => {
    expect(() => wishOf({ tools: [mcp({ server_label: 'mail', server_url: 'https://mail.example/mcp' })] })).toThrow(
      /"mail", which is not configured here. There are: files, web/,
    );
    expect(() => read({ tools: [mcp({ connector_id: 'connector_gmail' })] })).toThrow(/tools\[0\].connector_id/);
    expect(() => read({ tools: [mcp({ tunnel_id: 't' })] })).toThrow(/tools\[0\].tunnel_id/);
    expect(() => read({ tools: [mcp({ allowed_callers: ['programmatic'] })] })).toThrow(/allowed_callers/);
    expect(() => read({ tools: [mcp(), mcp()] })).toThrow(/`tools\[1\].server_label` is "files" for the second time/);
    const many = Array.from({ length: 1001 }, (_, index) => `tool${index}`);
    expect(() => read({ tools: [mcp({ allowed_tools: many })] })).toThrow(/allowed_tools` is a list of 1001 entries/);
    expect(() => read({ tools: [mcp({ allowed_tools: { tool_names: many } })] })).toThrow(/allowed_tools/);
    expect(() => read({ tools: [mcp({ require_approval: 'sometimes' })] })).toThrow(/require_approval/);
    expect(() => wishOf({ tools: [mcp()], max_tool_calls: -1 })).toThrow(/max_tool_calls/);
    expect(() => wishOf({ tools: [mcp()], confirm_tools: 'always' })).toThrow(/require_approval/);
    expect(() => read({ tools: [mcp()], tool_choice: { type: 'mcp', server_label: 'web' } })).toThrow(/server_label/);
  });

  it('may name a server by its URL where that is allowed, with what the client has for it', () => {
    const open = { ...setup, urls: true };
    const mail = { server_label: 'mail', server_url: 'https://mail.example/mcp' };
    const secrets = { headers: { 'x-key': 'a' }, authorization: 'token' };
    const sources = (tool: object) => {
      const wish = read({ tools: [mcp(tool)] }).serverTools?.(open);
      return typeof wish === 'object' ? wish.sources?.map(({ server, place }) => ({ server, place })) : wish;
    };
    expect(sources({ ...mail, ...secrets })).toEqual([
      {
        server: 'mail',
        place: { url: mail.server_url, headers: { 'x-key': 'a', authorization: 'Bearer token' } },
      },
    ]);
    // A name of the configuration is that server, whatever stands beside it.
    expect(sources({ ...mail, server_label: 'files', ...secrets })).toEqual([{ server: 'files', place: undefined }]);
    expect(() => sources({ server_label: 'mail' })).toThrow(/There are: files, web/);
    expect(() => sources({ ...mail, server_url: 'nowhere' })).toThrow(/"nowhere", which is no URL/);
    expect(() => wishOf({ tools: [mcp(mail)] })).toThrow(/--mcp-allow-urls/);
    const many = Array.from({ length: 11 }, (_, index) => mcp({ ...mail, server_label: `mail${index}` }));
    expect(() => read({ tools: many }).serverTools?.(open)).toThrow(/at most 10/);
  });

  it('say nothing where the server runs no tools', () => {
    const call = parseResponses({ input: 'hi', tools: [mcp({ connector_id: 'x', server_label: 3 })] });
    expect(call.serverTools).toBeUndefined();
    expect(call.warnings).toEqual(['Tools of type "mcp" run elsewhere and are not offered to the model.']);
  });

  it('a wish holds the limits and the choice', () => {
    const asked = { tools: [mcp()], max_tool_calls: 3, tool_call_timeout: 7 };
    expect(wishOf(asked)).toMatchObject({ maxCalls: 3, callTimeoutMs: 7000, atLimit: 'answer', chosen: [] });
    expect(read({ tools: [mcp()], max_tool_calls: 0 }).serverTools?.(setup)).toBe('off');
    expect(read({ tools: [] }).serverTools?.(setup)).toBeUndefined();
    const chosen = { tools: [mcp()], tool_choice: { type: 'mcp', server_label: 'files', name: 'read' } };
    expect(wishOf(chosen).chosen).toEqual([{ server: 'files', name: 'read' }]);
    expect(chatOf(chosen).toolChoice).toEqual({ type: 'allowed', mode: 'required', names: [] });
    const some = {
      tools: [mcp(), { type: 'function', name: 'own' }],
      tool_choice: { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'own' }, mcp()] },
    };
    expect(wishOf(some).chosen).toEqual([{ server: 'files' }]);
    expect(chatOf(some).toolChoice).toEqual({ type: 'allowed', mode: 'auto', names: ['own'] });
    expect(chatOf({ tools: [mcp()], tool_choice: 'required' }).toolChoice).toEqual({ type: 'required' });
  });

  it('wait with defer_loading until the search of the client has found them', () => {
    const search = { type: 'tool_search', execution: 'client' };
    const tools = [search, mcp({ defer_loading: true })];
    expect(read({ tools }).serverTools?.(setup)).toBeUndefined();
    const found = [
      { type: 'tool_search_call', call_id: 'c', arguments: {} },
      { type: 'tool_search_output', call_id: 'c', tools: [mcp({ defer_loading: true })] },
    ];
    expect(wishOf({ tools, input: found }).sources).toHaveLength(1);
    // Where it is not the client that searches, nobody does, so nothing waits.
    expect(wishOf({ tools: [mcp({ defer_loading: true })] }).sources).toHaveLength(1);
  });

  it('secrets of the client are in no answer', () => {
    const { settings, serverTools } = read({
      tools: [mcp({ headers: { 'x-key': 'sesame' }, authorization: 'sesame' })],
    });
    expect(JSON.stringify(settings)).not.toContain('sesame');
    expect(serverTools?.(setup)).toMatchObject({
      warnings: [expect.stringMatching(/headers/), expect.stringMatching(/authorization/)],
    });
  });
});

const call = (id: string, more: object = {}) => ({
  type: 'mcp_call',
  id: `mcp_${id}`,
  call_id: `call_${id}`,
  round: 1,
  server_label: 'files',
  name: 'read',
  arguments: '{}',
  output: `result ${id}`,
  ...more,
});
const question = (id: string, more: object = {}) => ({
  ...call(id, more),
  type: 'mcp_approval_request',
  id: `mcpr_${id}`,
});
const decision = (id: string, approve: boolean, more: object = {}) => ({
  type: 'mcp_approval_response',
  approval_request_id: `mcpr_${id}`,
  approve,
  ...more,
});
const user = { role: 'user', content: 'go' };
const shape = (input: readonly object[]) =>
  chatOf({ input, tools: [mcp()] }).messages.map((message) => {
    if (message.role === 'tool') return `${message.toolCallId}: ${message.content}`;
    if (message.role !== 'assistant') return message.role;
    return `${message.content ?? ''}[${(message.toolCalls ?? []).map(({ id, server }) => `${server}/${id}`).join(' ')}]`;
  });

describe('items that come back', () => {
  it('stand as the model has read them: the calls of a turn, then their results', () => {
    const said = { type: 'message', role: 'assistant', content: 'Done.' };
    expect(shape([user, call('a'), call('b'), call('c', { round: 2 }), said])).toEqual([
      'user',
      '[files/call_a files/call_b]',
      'call_a: result a',
      'call_b: result b',
      '[files/call_c]',
      'call_c: result c',
      'Done.[]',
    ]);
  });

  it('without the members of this server each call is a turn, and its item names it', () => {
    const plain = (id: string) => call(id, { call_id: undefined, round: undefined });
    expect(shape([user, plain('a'), plain('b')])).toEqual([
      'user',
      '[files/mcp_a]',
      'mcp_a: result a',
      '[files/mcp_b]',
      'mcp_b: result b',
    ]);
  });

  it('failed calls and lost results are text too', () => {
    const lost = call('b', { output: undefined, round: 2 });
    expect(shape([user, call('a', { output: null, error: 'broken' }), lost])).toEqual([
      'user',
      '[files/call_a]',
      'call_a: broken',
      '[files/call_b]',
      'call_b: The result of this call is not kept.',
    ]);
  });

  it('an approved call is to be run, in its turn, and its result has a place', () => {
    const input = [user, call('a'), question('b'), decision('b', true)];
    expect(shape(input).slice(1, 3)).toEqual(['[files/call_a files/call_b]', 'call_a: result a']);
    expect(wishOf({ input, tools: [mcp()] }).allowedCalls).toEqual([
      { message: 3, id: 'call_b', server: 'files', name: 'read', arguments: '{}', allowedBy: 'mcpr_b' },
    ]);
  });

  it('a call is never run a second time', () => {
    const ran = [user, question('a'), decision('a', true), call('z', { approval_request_id: 'mcpr_a' })];
    expect(shape(ran)).toEqual(['user', '[files/call_a]', 'call_a: result z']);
    expect(wishOf({ input: ran, tools: [mcp()] }).allowedCalls).toEqual([]);
    const spoke = [user, question('a'), decision('a', true), { role: 'assistant', content: 'Fine.' }, user];
    expect(wishOf({ input: spoke, tools: [mcp()] }).allowedCalls).toEqual([]);
    const twice = [user, question('a'), question('a'), decision('a', true), decision('a', true)];
    expect(wishOf({ input: twice, tools: [mcp()] }).allowedCalls).toHaveLength(1);
  });

  it('a denial is told to the model, and so is a question without an answer', () => {
    expect(shape([user, question('a'), decision('a', false, { reason: 'Too late.' })]).at(-1)).toBe(
      'call_a: This call was not run: the user did not allow it. Too late.',
    );
    expect(shape([user, question('a'), user])).toEqual([
      'user',
      '[files/call_a]',
      'call_a: This call was not run: nobody was there to allow it.',
      'user',
    ]);
  });

  it('a decision about nothing, or about a server that the request does not name, is refused', () => {
    expect(() => read({ input: [user, decision('a', true)], tools: [mcp()] })).toThrow(
      /input\[1\].approval_request_id/,
    );
    const input = [user, question('a', { server_label: 'web' }), decision('a', true)];
    expect(() => wishOf({ input, tools: [mcp()] })).toThrow(/"web" was approved, but `tools` has no such server/);
  });

  it('a list that came back is not told again', () => {
    const list = { type: 'mcp_list_tools', id: 'mcpl_1', server_label: 'files', tools: [] };
    const told = (input: readonly object[]) => wishOf({ input, tools: [mcp()] }).sources?.[0]?.told;
    expect([told([user]), told([list, user]), told([{ ...list, error: 'gone' }, user])]).toEqual([false, true, false]);
  });
});

const open = (index: number, id: string, more: object = {}): GenerationEvent[] => [
  { type: 'block-start', index, kind: 'tool-call', id, name: 'read', server: 'files', ...more },
  { type: 'block-delta', index, delta: '{"a":' },
  { type: 'block-delta', index, delta: '1}' },
  { type: 'block-end', index },
];
const running = (callId: string): GenerationEvent => ({ type: 'tool-state', callId, state: 'running' });
const result = (callId: string, isError = false): GenerationEvent => ({
  type: 'tool-result',
  callId,
  content: `result of ${callId}`,
  isError,
  ms: 3,
});
const list: GenerationEvent = { type: 'tool-list', server: 'files', tools: [tool('read', true)] };
const round: GenerationEvent = { type: 'round', inputTokens: 20, cachedTokens: 18 };
const text: GenerationEvent[] = [
  { type: 'block-start', index: 2, kind: 'text' },
  { type: 'block-delta', index: 2, delta: 'Done.' },
  { type: 'block-end', index: 2 },
];
const body = { tools: [mcp()] };

function streamed(events: readonly GenerationEvent[]) {
  const wire = wireEvents(frames(read(body), events));
  return { wire, response: expectResponsesStream(wire) };
}

describe('items of calls that the server runs', () => {
  const two = [
    start,
    list,
    ...open(0, 'a'),
    ...open(1, 'b'),
    running('a'),
    running('b'),
    result('b'),
    result('a', true),
  ];

  it('tell their steps in the order of the API, also two at once', () => {
    const { wire, response } = streamed([...two, round, ...text, finish()]);
    const steps = wire.map(({ type, output_index: index }) => `${type.replace('response.', '')} ${index ?? ''}`.trim());
    expect(steps).toEqual([
      'created',
      'in_progress',
      'output_item.added 0',
      'mcp_list_tools.in_progress 0',
      'mcp_list_tools.completed 0',
      'output_item.done 0',
      ...[1, 2].flatMap((index) => [
        `output_item.added ${index}`,
        `mcp_call.in_progress ${index}`,
        `mcp_call_arguments.delta ${index}`,
        `mcp_call_arguments.delta ${index}`,
      ]),
      'mcp_call_arguments.done 1',
      'mcp_call_arguments.done 2',
      'mcp_call.completed 2',
      'output_item.done 2',
      'mcp_call.failed 1',
      'output_item.done 1',
      'output_item.added 3',
      'content_part.added 3',
      'output_text.delta 3',
      'output_text.done 3',
      'content_part.done 3',
      'output_item.done 3',
      'completed',
    ]);
    expect(response.output.map(({ type }) => type)).toEqual(['mcp_list_tools', 'mcp_call', 'mcp_call', 'message']);
    expect(response.output[0]).toMatchObject({
      tools: [{ name: 'read', annotations: { read_only: true }, input_schema: { type: 'object' }, description: null }],
    });
    expect(response.output.slice(1, 3)).toMatchObject([
      { status: 'failed', error: 'result of a', output: null, call_id: 'a', arguments: '{"a":1}' },
      { status: 'completed', error: null, output: 'result of b', call_id: 'b', approval_request_id: null },
    ]);
  });

  it('are the same in whole answers', async () => {
    const events = [...two, round, ...text, finish()];
    async function* all() {
      yield* events;
    }
    const whole = openaiResponses.whole(read(body), answerContext(), [await collect(all())]);
    expect(whole).toEqual(streamed(events).response);
  });

  it('ask the client, with whole arguments, and the answer is complete', () => {
    const { wire, response } = streamed([start, ...open(0, 'a', { asks: true }), finish({ reason: 'tool-calls' })]);
    expect(wire.map(({ type }) => type.replace('response.', ''))).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'output_item.done',
      'completed',
    ]);
    expect(wire[2]?.item).toEqual(wire[3]?.item);
    expect(response.output).toMatchObject([
      { type: 'mcp_approval_request', id: expect.stringMatching(/^mcpr_/), name: 'read', arguments: '{"a":1}' },
    ]);
  });

  it('a call that was allowed says by what, before the model speaks', () => {
    const before = [{ ...start, inputTokens: 0 }, ...open(0, 'a', { allowedBy: 'mcpr_1' }), running('a'), result('a')];
    const { response } = streamed([
      ...before,
      round,
      ...text.map((event) => ({ ...event, index: 1 })),
      finish(),
    ] as never);
    expect(response.output[0]).toMatchObject({ type: 'mcp_call', approval_request_id: 'mcpr_1', status: 'completed' });
  });

  it('what was cut is neither asked about nor complete', () => {
    const cut = finish({ reason: 'length' });
    expect(streamed([start, ...open(0, 'a', { asks: true }), cut]).response.output).toEqual([]);
    expect(streamed([start, ...open(0, 'a'), cut]).response.output).toMatchObject([{ status: 'incomplete' }]);
  });

  it('a server that cannot be had says why', () => {
    const { wire, response } = streamed([start, { ...list, tools: [], problem: 'files is gone.' } as never, finish()]);
    expect(wire.map(({ type }) => type)).toContain('response.mcp_list_tools.failed');
    expect(response.output).toMatchObject([{ type: 'mcp_list_tools', error: 'files is gone.', tools: [] }]);
  });
});
