import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { ChatPrompt, Message } from '../../../src/contract/request.ts';
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts';

const hello = { messages: [{ role: 'user', content: 'Hi' }] };

function requestOf(body: object) {
  const call = anthropicMessages.parse(body);
  return { call, request: call.generations[0] };
}

function chatOf(body: object): ChatPrompt {
  const { prompt } = requestOf({ ...hello, ...body }).request;
  if (prompt.type !== 'chat') throw new Error('no chat');
  return prompt;
}

function errorOf(body: unknown): { code: string; param: string | undefined; message: string } {
  try {
    anthropicMessages.parse(body);
  } catch (error) {
    if (error instanceof ServeError) return { code: error.code, param: error.details.param, message: error.message };
    throw error;
  }
  throw new Error('The body was accepted.');
}

const messagesOf = (...messages: object[]): readonly Message[] => chatOf({ messages }).messages;
const user = (content: unknown) => ({ role: 'user', content });
const assistant = (content: unknown) => ({ role: 'assistant', content });
const text = (value: string) => ({ type: 'text', text: value });
const use = (id: string, input: unknown = {}) => ({ type: 'tool_use', id, name: 'look', input });
const result = (id: string, rest: object = {}) => ({ type: 'tool_result', tool_use_id: id, ...rest });
const image = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'AAAA' } };

describe('a Messages request', () => {
  it('is complete with messages alone', () => {
    expect(anthropicMessages.parse(hello)).toEqual({
      generations: [
        {
          prompt: {
            type: 'chat',
            messages: [{ role: 'user', content: 'Hi' }],
            tools: [],
            toolChoice: { type: 'auto' },
            reasoning: { enabled: false },
            templateVariables: {},
            continueFinalMessage: true,
          },
          sampling: {},
          maxTokens: -1,
          stop: [],
          outputShape: { type: 'text' },
          ignoreEos: false,
          cachePrompt: true,
          priority: 3,
          keys: {},
        },
      ],
      stream: false,
      warnings: [],
      showThinking: true,
    });
  });

  it('takes every field of the protocol and the extensions of this server', () => {
    const { call, request } = requestOf({
      ...hello,
      model: 'local',
      max_tokens: 64,
      stream: true,
      stop_sequences: ['END', 'STOP'],
      temperature: 0.5,
      top_p: 0.9,
      top_k: 20,
      min_p: 0.1,
      repetition_penalty: 1.1,
      seed: 7,
      metadata: { user_id: 'person' },
      session_id: 'chat-1',
      cancel_id: 'run-1',
      priority: 5,
      service_tier: 'auto',
    });
    expect(call.stream).toBe(true);
    expect(request).toMatchObject({
      model: 'local',
      maxTokens: 64,
      stop: ['END', 'STOP'],
      sampling: { temperature: 0.5, topP: 0.9, topK: 20, minP: 0.1, repeatPenalty: 1.1, seed: 7 },
      keys: { sessionId: 'chat-1', cancelId: 'run-1', userHint: 'person' },
      priority: 5,
    });
  });

  it('takes the extensions out of extra_body too, below those that stand beside it', () => {
    const { request } = requestOf({ ...hello, top_k: 5, extra_body: { top_k: 9, min_p: 0.2, session_id: 'chat-1' } });
    expect(request.sampling).toEqual({ topK: 5, minP: 0.2 });
    expect(request.keys).toEqual({ sessionId: 'chat-1' });
    expect(errorOf({ ...hello, extra_body: { min_p: 2 } })).toMatchObject({ param: 'min_p' });
  });

  it('reads -1 and no max_tokens as the rest of the context', () => {
    expect(requestOf({ ...hello, max_tokens: -1 }).request.maxTokens).toBe(-1);
    expect(requestOf(hello).request.maxTokens).toBe(-1);
    expect(errorOf({ ...hello, max_tokens: 0 })).toMatchObject({ code: 'invalid_request', param: 'max_tokens' });
  });

  it('is refused with the field at fault', () => {
    const cases: [unknown, string | undefined][] = [
      ['text', undefined],
      [{}, 'messages'],
      [{ messages: [] }, 'messages'],
      [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].role'],
      [{ messages: [user([{ type: 'text' }])] }, 'messages[0].content[0].text'],
      [{ messages: [user([{ text: 'x' }])] }, 'messages[0].content[0].type'],
      [{ messages: [user([result('a', { content: [{ type: 'text' }] })])] }, 'messages[0].content[0].content[0].text'],
      [{ messages: [user([{ type: 'tool_result' }])] }, 'messages[0].content[0].tool_use_id'],
      [{ ...hello, thinking: { type: 7 } }, 'thinking.type'],
      [{ ...hello, tools: [{ input_schema: {} }] }, 'tools[0].name'],
      [{ ...hello, output_format: { type: 'xml' } }, 'output_format.type'],
    ];
    for (const [body, param] of cases) {
      const error = errorOf(body);
      expect(error, JSON.stringify(body)).toMatchObject({ code: 'invalid_request', param });
    }
  });
});

describe('the system prompt', () => {
  const line = 'x-anthropic-billing-header: cc_version=2.1.37.0d9; cc_entrypoint=cli; cch=fa690;';
  const systemOf = (system: unknown) => chatOf({ system }).messages.slice(0, -1);

  it('is one message, however it was written', () => {
    const wanted = [{ role: 'system', content: 'Be brief.' }];
    expect(systemOf('Be brief.')).toEqual(wanted);
    expect(systemOf([text('Be brief.')])).toEqual(wanted);
    expect(systemOf([{ ...text('Be brief.'), cache_control: { type: 'ephemeral', ttl: '1h' } }])).toEqual(wanted);
    expect(systemOf([text('A'), text('B')])).toEqual([{ role: 'system', content: [text('A'), text('B')] }]);
    expect(systemOf(undefined)).toEqual([]);
  });

  it('loses the line that changes with every request of Claude Code, and nothing else', () => {
    const wanted = [{ role: 'system', content: 'You are Claude Code.\nBe brief.' }];
    expect(systemOf([text(line), text('You are Claude Code.\nBe brief.')])).toEqual(wanted);
    expect(systemOf(`${line}\nYou are Claude Code.\nBe brief.`)).toEqual(wanted);
    expect(systemOf(`${line}You are Claude Code.\nBe brief.`)).toEqual(wanted);
    expect(systemOf([text(line)])).toEqual([]);
    expect(systemOf(`Explain this: ${line}`)).toEqual([{ role: 'system', content: `Explain this: ${line}` }]);
    expect(chatOf({ messages: [user(line)] }).messages).toEqual([{ role: 'user', content: line }]);
  });
});

describe('messages', () => {
  it('read one text block as its text, because cache_control moves from turn to turn', () => {
    expect(messagesOf(user([{ ...text('Hi'), cache_control: { type: 'ephemeral' } }]))).toEqual(messagesOf(user('Hi')));
    expect(messagesOf(user([text('A'), text('B')]))).toEqual([{ role: 'user', content: [text('A'), text('B')] }]);
  });

  it('carry calls, their results in any order with text, and thoughts', () => {
    expect(
      messagesOf(
        user('Look'),
        assistant([
          { type: 'thinking', thinking: 'I look.', signature: 'serve-model.' },
          text('Looking.'),
          use('a', { path: 'x' }),
          use('b'),
        ]),
        user([
          text('Here:'),
          result('b', { content: [text('two'), text('three')] }),
          text('Go on.'),
          result('a', { content: 'one' }),
          result('c'),
        ]),
      ),
    ).toEqual([
      { role: 'user', content: 'Look' },
      {
        role: 'assistant',
        content: 'Looking.',
        reasoning: 'I look.',
        toolCalls: [
          { id: 'a', name: 'look', arguments: '{"path":"x"}' },
          { id: 'b', name: 'look', arguments: '{}' },
        ],
      },
      { role: 'tool', content: [text('two'), text('three')], toolCallId: 'b' },
      { role: 'tool', content: 'one', toolCallId: 'a' },
      { role: 'tool', content: '', toolCallId: 'c' },
      { role: 'user', content: [text('Here:'), text('Go on.')] },
    ]);
  });

  it('of one role in a row are one turn, as the protocol has it', () => {
    expect(
      messagesOf(user('A'), user([text('B')]), assistant('C'), assistant([use('a')]), user([result('a')])),
    ).toEqual([
      { role: 'user', content: [text('A'), text('B')] },
      { role: 'assistant', content: 'C', toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }] },
      { role: 'tool', content: '', toolCallId: 'a' },
    ]);
  });

  it('may hold system messages between the turns', () => {
    const line = 'x-anthropic-billing-header: cch=1;';
    expect(messagesOf(user('A'), { role: 'system', content: [text(line), text('Hurry.')] }, assistant('B'))).toEqual([
      { role: 'user', content: 'A' },
      { role: 'system', content: 'Hurry.' },
      { role: 'assistant', content: 'B' },
    ]);
  });

  it('give a call without text no content, and a thought that was left out its text back', () => {
    const carried = `serve-model.${Buffer.from('Secret').toString('base64url')}`;
    const thought = (signature: string) => ({ type: 'thinking', thinking: '', signature });
    expect(messagesOf(user('A'), assistant([thought(carried), use('a')]))[1]).toEqual({
      role: 'assistant',
      content: null,
      reasoning: 'Secret',
      toolCalls: [{ id: 'a', name: 'look', arguments: '{}' }],
    });
    for (const foreign of ['EqQBCg', 'serve-model.', 'serve-model.%%%', ''])
      expect(messagesOf(user('A'), assistant([thought(foreign), text('B')]))[1], foreign).toEqual({
        role: 'assistant',
        content: 'B',
      });
  });

  it('take malformed arguments back as the text they were', () => {
    expect(messagesOf(user('A'), assistant([use('a', { INVALID_JSON: '{"pa' })]))[1]).toMatchObject({
      toolCalls: [{ arguments: '{"pa' }],
    });
  });

  it('say that a result is an error, unless its text does', () => {
    const failed = (content: unknown) => messagesOf(user([result('a', { content, is_error: true })]))[0]?.content;
    expect(failed('no such file')).toBe('Error: no such file');
    expect(failed([text('no'), text('file')])).toEqual([text('Error: no'), text('file')]);
    expect(failed('<tool_use_error>no such file</tool_use_error>')).toBe(
      '<tool_use_error>no such file</tool_use_error>',
    );
    expect(failed('ERROR 404')).toBe('ERROR 404');
    expect(failed(undefined)).toBe('Error: ');
  });

  it('may not hold what cannot be read', () => {
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } };
    expect(errorOf({ messages: [user('A'), assistant('B'), user([text('C'), pdf])] })).toEqual({
      code: 'invalid_request',
      param: 'messages[2].content[1]',
      message:
        '`messages[2].content[1]` is of type "document", but here text alone can be read. Send the text of it, or leave it out.',
    });
    const kept = { type: 'image', source: { type: 'file', file_id: 'file_1' } };
    expect(errorOf({ messages: [user([kept])] })).toMatchObject({ param: 'messages[0].content[0].source' });
  });

  it('keep their images, also those in results', () => {
    const part = (param: string) => ({ type: 'image', source: { type: 'file', base64: 'AAAA' }, param });
    const shot = user([result('a', { content: [text('shot:'), image] })]);
    expect(messagesOf(shot, assistant('B'), user([image, text('C')]))).toMatchObject([
      { role: 'tool', content: [text('shot:'), part('messages[0].content[0].content[1].source.data')] },
      { role: 'assistant' },
      { role: 'user', content: [part('messages[2].content[0].source.data'), text('C')] },
    ]);
    const named = { type: 'image', source: { type: 'url', url: 'https://example.com/a.png' } };
    expect(messagesOf(user([named]))[0]?.content).toMatchObject([
      { source: { type: 'url', url: 'https://example.com/a.png' } },
    ]);
  });

  it('put a note in the place of documents in results, with a warning', () => {
    const pdf = { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'AAAA' } };
    const { call } = requestOf({ messages: [user([result('a', { content: [text('shot:'), pdf, pdf] })])] });
    expect(call.warnings).toEqual([
      'document blocks in tool results were replaced by a note: this server reads text and images only',
    ]);
    const note = text('[document left out: only text and images can be read here]');
    expect(call.generations[0]?.prompt).toMatchObject({ messages: [{ content: [text('shot:'), note, note] }] });
  });

  it('skip blocks of unknown types and redacted thoughts, with a warning', () => {
    const { call } = requestOf({
      messages: [
        user([text('A'), { type: 'hologram', data: 1 }]),
        assistant([{ type: 'redacted_thinking', data: 'x' }, text('B')]),
      ],
    });
    expect(call.generations[0]?.prompt).toMatchObject({
      messages: [
        { role: 'user', content: 'A' },
        { role: 'assistant', content: 'B' },
      ],
    });
    expect(call.warnings).toEqual([
      'hologram blocks were skipped: this server does not know them',
      'redacted_thinking blocks were skipped where they do not belong or cannot be read',
    ]);
  });

  it('read documents and search results that are text', () => {
    const document = {
      type: 'document',
      title: 'Notes',
      source: { type: 'text', media_type: 'text/plain', data: 'abc' },
    };
    const found = { type: 'search_result', title: 'Hit', source: 'https://a.example', content: [text('def')] };
    expect(messagesOf(user([document, found]))).toEqual([
      { role: 'user', content: [text('Notes\nabc'), text('Hit (https://a.example)\ndef')] },
    ]);
  });
});

describe('tools', () => {
  const schema = { type: 'object', properties: { path: { type: 'string' } } };
  const look = { name: 'look', description: 'Looks.', input_schema: schema };

  it('are the custom ones, as given; others are left out with a warning', () => {
    const { call, request } = requestOf({
      ...hello,
      tools: [
        { ...look, cache_control: { type: 'ephemeral' } },
        { type: 'custom', name: 'bare', strict: true },
        { type: 'web_search_20250305', name: 'web_search' },
      ],
    });
    expect(request.prompt).toMatchObject({
      tools: [
        {
          name: 'look',
          description: 'Looks.',
          parameters: schema,
          definition: { type: 'function', function: { name: 'look', description: 'Looks.', parameters: schema } },
        },
        { name: 'bare', strict: true, definition: { type: 'function', function: { name: 'bare' } } },
      ],
    });
    expect(call.warnings).toEqual(['the tool web_search_20250305 was left out: only custom tools can be used here']);
  });

  describe('with defer_loading', () => {
    const late = (name: string) => ({ ...look, name, defer_loading: true });
    const reference = (tool_name: string) => ({ type: 'tool_reference', tool_name });
    const search = { type: 'tool_use', id: 's', name: 'ToolSearch', input: { query: 'x' } };
    const result = (...content: object[]) => ({ type: 'tool_result', tool_use_id: 's', content });
    const tools = [late('a'), look, late('b'), { name: 'ToolSearch' }, late('c')];
    const namesOf = (...messages: object[]) =>
      chatOf({ tools, messages: [...hello.messages, ...messages] }).tools.map(({ name }) => name);
    const found = (...blocks: object[]) => [
      { role: 'assistant', content: [search] },
      { role: 'user', content: blocks },
    ];

    it('stay out of the prompt until a reference names them, and then stand last', () => {
      expect(namesOf()).toEqual(['look', 'ToolSearch']);
      expect(namesOf(...found(result(reference('c'))))).toEqual(['look', 'ToolSearch', 'c']);
      expect(namesOf(...found(result(reference('c'), reference('nobody'), reference('a'), reference('c'))))).toEqual([
        'look',
        'ToolSearch',
        'c',
        'a',
      ]);
    });

    it('stay where they were called, though the reference is gone', () => {
      const used = { role: 'assistant', content: [{ type: 'tool_use', id: 'u', name: 'b', input: {} }] };
      const answered = { role: 'user', content: [{ type: 'tool_result', tool_use_id: 'u', content: 'ok' }] };
      expect(namesOf(used, answered)).toEqual(['look', 'ToolSearch', 'b']);
    });

    it('are there where one has to be called, and where Anthropic would search', () => {
      const chosen = chatOf({ tools, tool_choice: { type: 'tool', name: 'b' } });
      expect(chosen.tools.map(({ name }) => name)).toEqual(['look', 'ToolSearch', 'b']);
      const hosted = { type: 'tool_search_tool_regex_20251119', name: 'tool_search_tool_regex' };
      expect(chatOf({ tools: [hosted, late('a'), look] }).tools.map(({ name }) => name)).toEqual(['a', 'look']);
    });
  });

  it('are chosen as asked', () => {
    const choiceOf = (tool_choice: unknown) => {
      const { toolChoice, parallelToolCalls } = chatOf({ tools: [look], tool_choice });
      return [toolChoice, parallelToolCalls];
    };
    expect(choiceOf(undefined)).toEqual([{ type: 'auto' }, undefined]);
    expect(choiceOf({ type: 'auto', disable_parallel_tool_use: true })).toEqual([{ type: 'auto' }, false]);
    expect(choiceOf({ type: 'any' })).toEqual([{ type: 'required' }, undefined]);
    expect(choiceOf({ type: 'none' })).toEqual([{ type: 'none' }, undefined]);
    expect(choiceOf({ type: 'tool', name: 'look', disable_parallel_tool_use: false })).toEqual([
      { type: 'function', name: 'look' },
      undefined,
    ]);
  });

  it('must exist when one has to be called, and have names of their own', () => {
    const server = { type: 'web_search_20250305', name: 'web_search' };
    expect(errorOf({ ...hello, tools: [look], tool_choice: { type: 'tool', name: 'web_search' } })).toEqual({
      code: 'invalid_request',
      param: 'tool_choice.name',
      message: '`tool_choice.name` is "web_search", but `tools` has only look.',
    });
    expect(errorOf({ ...hello, tools: [server], tool_choice: { type: 'any' } })).toMatchObject({
      param: 'tool_choice',
    });
    expect(errorOf({ ...hello, tools: [look, look] })).toMatchObject({ param: 'tools[1].name' });
  });
});

it('warns of words that came after this server where they would change nothing', () => {
  const warnings = (more: object) => anthropicMessages.parse({ ...hello, ...more }).warnings;
  expect(warnings({ service_tier: 'gold', speed: 'warp' })).toEqual([
    'service_tier "gold" is not known here and was taken as "auto"',
    'speed "warp" is not known here and was taken as "standard"',
  ]);
  expect(warnings({ output_config: { effort: 'ultra' } })).toEqual([
    'output_config.effort "ultra" is not known here and is taken as "high" unless the chat template knows it',
  ]);
  expect(warnings({ output_config: { effort: 'max' } })).toEqual([]);
  expect(warnings({ service_tier: 'standard_only', speed: 'fast' })).toEqual([]);
});

describe('thinking', () => {
  it('is taken in words that came after this server, with a warning', () => {
    const parsed = (thinking: object) => {
      const { generations, showThinking, warnings } = anthropicMessages.parse({ ...hello, thinking });
      const { prompt } = generations[0];
      return [prompt.type === 'chat' && prompt.reasoning.enabled, showThinking, warnings];
    };
    expect(parsed({ type: 'adaptive', display: 'updates' })).toEqual([
      true,
      true,
      ['thinking.display "updates" is not known here and was taken as "summarized"'],
    ]);
    expect(parsed({ type: 'auto' })).toEqual([
      true,
      true,
      ['thinking.type "auto" is not known here and was taken as "adaptive"'],
    ]);
    expect(parsed({ type: 'toString', display: 'constructor' })).toEqual([
      true,
      true,
      [
        'thinking.type "toString" is not known here and was taken as "adaptive"',
        'thinking.display "constructor" is not known here and was taken as "summarized"',
      ],
    ]);
    expect(parsed({ type: 'disabled', display: 'omitted' })).toEqual([false, false, []]);
  });

  const reasoningOf = (body: object) => chatOf(body).reasoning;

  it('is off unless it was asked for', () => {
    expect(reasoningOf({})).toEqual({ enabled: false });
    expect(reasoningOf({ thinking: { type: 'disabled' } })).toEqual({ enabled: false });
    expect(reasoningOf({ thinking: { type: 'between_tools' } })).toEqual({ enabled: false });
    expect(reasoningOf({ output_config: { effort: 'low' } })).toEqual({ enabled: false, effort: 'low' });
  });

  it('is on with a budget, adaptively with an effort, or by the extensions', () => {
    expect(reasoningOf({ thinking: { type: 'enabled', budget_tokens: 2048 } })).toEqual({
      enabled: true,
      budget: 2048,
    });
    expect(reasoningOf({ thinking: { type: 'adaptive' }, output_config: { effort: 'high' } })).toEqual({
      enabled: true,
      effort: 'high',
    });
    expect(reasoningOf({ enable_thinking: true, reasoning_budget: 10 })).toEqual({ enabled: true, budget: 10 });
  });

  it('is not shown when its display is omitted', () => {
    const shown = (display?: string) =>
      anthropicMessages.parse({ ...hello, thinking: { type: 'adaptive', display } }).showThinking;
    expect([shown(), shown('summarized'), shown('omitted')]).toEqual([true, true, false]);
  });
});

describe('the form of the answer', () => {
  const schema = { type: 'object' };
  const format = { type: 'json_schema', schema };

  it('is a JSON schema under either name of the protocol, or an extension', () => {
    const shapeOf = (body: object) => requestOf({ ...hello, ...body }).request.outputShape;
    const strict = { type: 'json-schema', schema, strict: true };
    expect(shapeOf({ output_format: format })).toEqual(strict);
    expect(shapeOf({ output_config: { format } })).toEqual(strict);
    expect(shapeOf({ json_schema: schema })).toEqual({ type: 'json-schema', schema });
    expect(shapeOf({ grammar: 'root ::= "a"' })).toEqual({ type: 'grammar', grammar: 'root ::= "a"' });
  });
});

it('fields for services of Anthropic and for samplers that are not here are ignored with a warning', () => {
  const body = { ...hello, mcp_servers: [], context_management: { edits: [] }, extra_body: { length_penalty: 0.5 } };
  expect(anthropicMessages.parse(body).warnings).toEqual([
    'mcp_servers was ignored: this server has no such service',
    'context_management was ignored: this server has no such service',
    'length_penalty is not supported and was ignored',
  ]);
});
