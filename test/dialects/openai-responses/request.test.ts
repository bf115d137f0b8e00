import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { ChatPrompt, GenerationRequest } from '../../../src/contract/request.ts';
import { openaiResponses } from '../../../src/dialects/openai-responses/index.ts';
import { parseResponses } from '../../../src/dialects/openai-responses/request.ts';
import { runs } from '../../support/runs.ts';
import { codexRequests } from './codex-requests.ts';

function generation(body: object): GenerationRequest {
  const [first, ...others] = parseResponses(body).generations;
  expect(others).toEqual([]);
  if (!first) throw new Error('no generation');
  return first;
}

function chat(body: object): ChatPrompt {
  const { prompt } = generation(body);
  if (prompt.type !== 'chat') throw new Error(`a prompt of type ${prompt.type}`);
  return prompt;
}

function messages(...input: object[]) {
  return chat({ input }).messages;
}

function refused(body: object): ServeError {
  try {
    parseResponses(body);
  } catch (thrown) {
    if (thrown instanceof ServeError) return thrown;
    throw thrown;
  }
  throw new Error('the request was served');
}

describe('the input of a response', () => {
  it.each([
    ['a string', 'hi'],
    ['one item', { role: 'user', content: 'hi' }],
    ['a list of items', [{ type: 'message', role: 'user', content: 'hi' }]],
  ])('may be %s', (_, input) => {
    expect(chat({ input }).messages).toEqual([{ role: 'user', content: 'hi' }]);
  });

  it('puts instructions in front and replaces no system message', () => {
    const input = [
      { role: 'system', content: 'a' },
      { role: 'developer', content: [{ type: 'input_text', text: 'b' }] },
      { role: 'user', content: 'c' },
    ];
    expect(chat({ instructions: 'first', input }).messages).toEqual([
      { role: 'system', content: 'first' },
      { role: 'system', content: 'a' },
      { role: 'developer', content: 'b' },
      { role: 'user', content: 'c' },
    ]);
  });

  it('takes one part for its text and keeps several apart', () => {
    const part = (text: string) => ({ type: 'input_text', text });
    expect(messages({ role: 'user', content: [part('a')] }, { role: 'user', content: [part('a'), part('b')] })).toEqual(
      [
        { role: 'user', content: 'a' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: 'b' },
          ],
        },
      ],
    );
  });

  it.each([
    ['instructions alone', { instructions: 'x', input: [] }, [{ role: 'system', content: 'x' }]],
    ['no input field', { instructions: 'x' }, [{ role: 'system', content: 'x' }]],
    ['nothing at all', { input: [] }, []],
  ])('is served with %s', (_, body, before) => {
    expect(chat(body).messages).toEqual([...before, { role: 'user', content: '' }]);
  });

  it('gathers reasoning, text and calls of a turn in one message', () => {
    expect(
      messages(
        { role: 'user', content: 'hi' },
        { type: 'reasoning', id: 'rs_1', summary: [], content: [{ type: 'reasoning_text', text: 'think' }] },
        {
          type: 'message',
          id: 'msg_1',
          role: 'assistant',
          status: 'completed',
          phase: 'commentary',
          content: [
            { type: 'output_text', text: 'a', annotations: [{ type: 'url_citation' }], logprobs: [] },
            { type: 'refusal', refusal: 'b' },
          ],
        },
        { type: 'function_call', id: 'fc_1', call_id: 'c1', name: 'f', arguments: '{"x"', status: 'completed' },
        { type: 'custom_tool_call', id: 'ctc_1', call_id: 'c2', name: 'g', input: 'a\n"b' },
        { type: 'function_call_output', call_id: 'c1', output: 'one' },
        { type: 'custom_tool_call_output', call_id: 'c2', output: [{ type: 'input_text', text: 'two' }] },
      ),
    ).toEqual([
      { role: 'user', content: 'hi' },
      {
        role: 'assistant',
        content: 'ab',
        reasoning: 'think',
        toolCalls: [
          { id: 'c1', name: 'f', arguments: '{"x"' },
          { id: 'c2', name: 'g', arguments: '{"input":"a\\n\\"b"}' },
        ],
      },
      { role: 'tool', content: 'one', toolCallId: 'c1', name: 'f' },
      { role: 'tool', content: 'two', toolCallId: 'c2', name: 'g' },
    ]);
  });

  it('begins a new turn where gathering would change the order, but never between a call and its output', () => {
    const reasoning = (text: string) => ({ type: 'reasoning', summary: [{ type: 'summary_text', text }] });
    expect(
      messages(
        reasoning('r1'),
        { role: 'assistant', content: 'a' },
        { role: 'assistant', content: 'b' },
        reasoning('r2'),
        { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
        reasoning('r3'),
        { role: 'assistant', content: 'c' },
        { type: 'function_call_output', call_id: 'c1', output: '' },
      ),
    ).toEqual([
      { role: 'assistant', content: 'a', reasoning: 'r1' },
      { role: 'assistant', content: 'b' },
      {
        role: 'assistant',
        content: 'c',
        reasoning: 'r2\n\nr3',
        toolCalls: [{ id: 'c1', name: 'f', arguments: '{}' }],
      },
      { role: 'tool', content: '', toolCallId: 'c1', name: 'f' },
    ]);
  });

  it('reads calls of built-in tools and their outputs', () => {
    expect(
      messages(
        {
          type: 'local_shell_call',
          id: 'l1',
          call_id: 'c1',
          status: 'completed',
          action: { type: 'exec', command: ['ls'] },
        },
        { type: 'local_shell_call_output', id: 'l1', output: '{"stdout":"a"}' },
        { type: 'apply_patch_call', call_id: 'c2', operation: { type: 'delete_file', path: 'a' } },
        { type: 'apply_patch_call_output', call_id: 'c2', status: 'completed' },
        { type: 'shell_call', call_id: 'c3', action: { commands: ['ls'] } },
        { type: 'shell_call_output', call_id: 'c3', output: [{ stdout: 'x', stderr: '', outcome: { type: 'exit' } }] },
      ),
    ).toEqual([
      {
        role: 'assistant',
        content: null,
        toolCalls: [{ id: 'c1', name: 'local_shell', arguments: '{"type":"exec","command":["ls"]}' }],
      },
      { role: 'tool', content: '{"stdout":"a"}', toolCallId: 'l1', name: 'local_shell' },
      {
        role: 'assistant',
        content: null,
        toolCalls: [{ id: 'c2', name: 'apply_patch', arguments: '{"type":"delete_file","path":"a"}' }],
      },
      { role: 'tool', content: '', toolCallId: 'c2', name: 'apply_patch' },
      { role: 'assistant', content: null, toolCalls: [{ id: 'c3', name: 'shell', arguments: '{"commands":["ls"]}' }] },
      {
        role: 'tool',
        content: '{"stdout":"x","stderr":"","outcome":{"type":"exit"}}',
        toolCallId: 'c3',
        name: 'shell',
      },
    ]);
  });

  it('skips reasoning that only another server can read', () => {
    expect(
      messages({ type: 'reasoning', summary: [], encrypted_content: 'gAAAA' }, { role: 'user', content: 'hi' }),
    ).toEqual([{ role: 'user', content: 'hi' }]);
  });

  it.each([
    ['input_file', 'a file'],
    ['input_audio', 'audio'],
    ['hologram', 'a part of type "hologram"'],
  ])('refuses %s in a message', (type, name) => {
    const input = [{ role: 'user', content: [{ type: 'input_text', text: 'see' }, { type }] }];
    const error = refused({ input });
    expect(error.message).toContain(`\`input[0].content[1]\` is ${name}, but the model reads text and images only.`);
    expect([error.code, error.details.param]).toEqual(['invalid_request', 'input[0].content[1]']);
  });

  it('keeps images, also those that a tool gave back', () => {
    const given = { type: 'input_image', image_url: 'data:image/png;base64,AAAA' };
    const part = (param: string) => ({ type: 'image', source: { type: 'file', base64: 'AAAA' }, param });
    expect(
      messages(
        { role: 'user', content: [{ type: 'input_text', text: 'see' }, given] },
        { type: 'function_call_output', call_id: 'c', output: [given] },
      ),
    ).toMatchObject([
      { content: [{ type: 'text', text: 'see' }, part('input[0].content[1].image_url')] },
      { role: 'tool', content: [part('input[1].output[0].image_url')] },
    ]);
    const named = { type: 'input_image', file_id: 'file_1' };
    expect(refused({ input: [{ role: 'user', content: [named] }] }).message).toContain('this server keeps no files');
  });

  it('puts a note in the place of a file that a tool gave back, and warns', () => {
    const output = [
      { type: 'input_text', text: 'a' },
      { type: 'input_file', file_data: 'x' },
    ];
    const call = parseResponses({ input: [{ type: 'function_call_output', call_id: 'c', output }] });
    expect(call.generations[0]?.prompt).toMatchObject({
      messages: [
        {
          role: 'tool',
          toolCallId: 'c',
          content: [
            { type: 'text', text: 'a' },
            { type: 'text', text: '[a file was left out: this model reads text and images only]' },
          ],
        },
      ],
    });
    expect(call.warnings).toEqual([
      "A tool's output holds a file; the model reads text and images only and sees a note in its place.",
    ]);
  });

  it('skips items of unknown types with one warning per type', () => {
    const call = parseResponses({
      input: [{ type: 'new_thing', content: 5 }, { type: 'new_thing' }, { role: 'user', content: 'hi' }],
    });
    expect(call.generations[0]?.prompt).toMatchObject({ messages: [{ role: 'user', content: 'hi' }] });
    expect(call.warnings).toEqual(['Input items of type new_thing are not known here and were skipped.']);
  });

  it.each([
    ['a typed reference', { type: 'item_reference', id: 'msg_1' }],
    ['a bare id', { id: 'msg_1' }],
  ])('says what is missing for %s', (_, item) => {
    const error = refused({ input: [{ role: 'user', content: 'hi' }, item] });
    expect(error.details.param).toBe('input[1]');
    expect(error.message).toContain('"msg_1", which is not kept here');
    expect(error.message).toContain('--response-store');
  });

  it.each([
    ['no input', {}, 'input', '`input` is missing: it must be a string or a list of items.'],
    ['a number', { input: 5 }, 'input', '`input` is 5, but must be'],
    ['a wrong role', { input: [{ role: 'critic', content: 'x' }] }, 'input[0].role', 'one of'],
    ['a message without content', { input: [{ role: 'user' }] }, 'input[0].content', '`input[0].content` is missing'],
    [
      'a call without a name',
      { input: [{ type: 'function_call', call_id: 'c', arguments: '' }] },
      'input[0].name',
      'is missing',
    ],
    [
      'an output without a call',
      { input: [{ type: 'function_call_output', output: 'x' }] },
      'input[0].call_id',
      'is missing',
    ],
    ['a function without a name', { input: 'x', tools: [{ type: 'function' }] }, 'tools[0].name', 'is missing'],
    ['a temperature out of range', { input: 'x', temperature: 3 }, 'temperature', 'at most 2'],
    ['a token limit of zero', { input: 'x', max_output_tokens: 0 }, 'max_output_tokens', 'at least 1'],
    ['a wrong truncation', { input: 'x', truncation: true }, 'truncation', 'a string'],
    [
      'a schema format without a schema',
      { input: 'x', text: { format: { type: 'json_schema' } } },
      'text.format.schema',
      'is missing',
    ],
    [
      'a previous response',
      { input: 'x', previous_response_id: 'resp_1' },
      'previous_response_id',
      '--response-store memory',
    ],
    ['background', { input: 'x', background: true }, 'background', '--response-store memory'],
    ['a call without tools', { input: 'x', tool_choice: 'required' }, 'tool_choice', 'no tool is offered'],
    ['a conversation', { input: 'x', conversation: 'conv_1' }, 'conversation', "kept on OpenAI's servers"],
    ['a stored prompt', { prompt: { id: 'pmpt_1' }, input: 'x' }, 'prompt', "kept on OpenAI's servers"],
  ])('refuses %s by name', (_, body, param, words) => {
    const error = refused(body);
    expect(error.details.param).toBe(param);
    expect(error.message).toContain(words);
  });

  it("puts the items of previous responses in front, behind this request's instructions", () => {
    const history = [
      { role: 'user', content: 'a' },
      { role: 'assistant', content: 'b' },
    ];
    const call = parseResponses(
      { instructions: 'i', input: 'c', previous_response_id: 'resp_1' },
      { history, store: true },
    );
    expect(call.generations[0]?.prompt).toMatchObject({
      messages: [
        { role: 'system', content: 'i' },
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ],
    });
    expect(call.settings).toMatchObject({ previous_response_id: 'resp_1', store: true });
    expect(call.input).toEqual([{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'c' }] }]);
  });
});

describe('an error about a response', () => {
  it.each([
    ['messages', 'input'],
    ['messages[2].content', 'input'],
    ['temperature', 'temperature'],
  ])('names %s as its client knows it', (param, shown) => {
    const { body } = openaiResponses.error(new ServeError('invalid_request', 'No.', { param }));
    expect(body).toEqual({
      error: { message: 'No.', type: 'invalid_request_error', param: shown, code: 'invalid_value' },
    });
  });
});

describe('the settings of a response', () => {
  it('become a generation request', () => {
    expect(
      generation({
        model: 'm',
        input: 'hi',
        temperature: 0.5,
        top_p: 0.9,
        seed: 7,
        max_output_tokens: 9,
        top_logprobs: 3,
        truncation: 'auto',
        parallel_tool_calls: false,
        reasoning: { effort: 'low' },
        prompt_cache_key: 'conversation',
        safety_identifier: 'person',
        chat_template_kwargs: { a: 1 },
        text: { format: { type: 'json_object' } },
        stream_options: { include_obfuscation: true },
        max_tool_calls: 3,
        service_tier: 'flex',
        unheard_of: true,
      }),
    ).toEqual({
      model: 'm',
      prompt: {
        type: 'chat',
        messages: [{ role: 'user', content: 'hi' }],
        tools: [],
        toolChoice: { type: 'auto' },
        parallelToolCalls: false,
        reasoning: { effort: 'low' },
        templateVariables: { a: 1 },
        continueFinalMessage: true,
      },
      sampling: { temperature: 0.5, topP: 0.9, seed: 7 },
      maxTokens: 9,
      overflow: 'drop-oldest',
      stop: [],
      outputShape: { type: 'json' },
      logprobs: { top: 3 },
      ignoreEos: false,
      cachePrompt: true,
      priority: 3,
      keys: { sessionId: 'conversation', userHint: 'person' },
    });
  });

  it('takes words that came after this server as those that it knows, with a warning', () => {
    const body = {
      input: 'x',
      truncation: 'smart',
      reasoning: { effort: 'ultra', summary: 'verbose' },
      text: { verbosity: 'chatty' },
      service_tier: 'turbo',
      prompt_cache_retention: '9h',
      include: ['web_search_call.results', 'reasoning.everything'],
    };
    const { generations, settings, show, warnings } = parseResponses(body);
    expect(generations[0]).not.toHaveProperty('overflow');
    expect(generations[0]?.prompt).toMatchObject({ reasoning: { effort: 'ultra' } });
    expect(show.reasoningSummary).toBe(true);
    expect(settings).toMatchObject({
      truncation: 'disabled',
      reasoning: { effort: 'ultra', summary: 'auto' },
      text: { verbosity: 'medium' },
      service_tier: 'default',
    });
    expect(warnings).toEqual([
      'include "reasoning.everything" is not known here and was ignored',
      'service_tier "turbo" is not known here and was taken as "default"',
      'reasoning.effort "ultra" is not known here and is taken as "high" unless the chat template knows it',
      'prompt_cache_retention "9h" is not known here and was taken as "in_memory"',
      'reasoning.summary "verbose" is not known here and was taken as "auto"',
      'truncation "smart" is not known here and was taken as "disabled"',
      'text.verbosity "chatty" is not known here and was taken as "medium"',
    ]);
  });

  it('leaves everything open that was not asked, null being as good as absent', () => {
    const nothing = {
      temperature: null,
      max_output_tokens: null,
      truncation: null,
      reasoning: null,
      tools: null,
      text: null,
    };
    const open = generation({ input: 'hi' });
    expect(generation({ input: 'hi', ...nothing })).toEqual(open);
    expect(open).toMatchObject({ sampling: {}, maxTokens: -1, outputShape: { type: 'text' } });
    expect(open).not.toHaveProperty('overflow');
    expect(open).not.toHaveProperty('logprobs');
  });

  it('holds the text to a schema', () => {
    const schema = { type: 'object' };
    const format = { type: 'json_schema', name: 'n', strict: true, schema };
    expect(generation({ input: 'hi', text: { format } }).outputShape).toEqual({
      type: 'json-schema',
      name: 'n',
      strict: true,
      schema,
    });
  });

  it('switches thinking off with effort none', () => {
    expect(chat({ input: 'hi', reasoning: { effort: 'none' } }).reasoning).toEqual({ enabled: false });
  });

  it.each([
    [undefined, false],
    [{ summary: null }, false],
    [{ summary: 'none' }, false],
    [{ summary: 'auto' }, true],
    [{ generate_summary: 'concise' }, true],
  ])('shows reasoning as asked by %j', (reasoning, wanted) => {
    expect(parseResponses({ input: 'hi', reasoning }).show.reasoningSummary).toBe(wanted);
  });

  it('gives log probabilities when they are only named in include', () => {
    expect(generation({ input: 'hi', include: ['message.output_text.logprobs'] }).logprobs).toEqual({ top: 0 });
  });
});

describe('tools of a response', () => {
  const parameters = { type: 'object', properties: { x: { type: 'number' } } };

  it('are shown to templates in the form of chat completions, without invented fields', () => {
    const tools = [
      { type: 'function', name: 'f', description: null, parameters, strict: null },
      { type: 'function', name: 'g', description: 'does', strict: true },
      { type: 'function', function: { name: 'nested', parameters } },
    ];
    expect(chat({ input: 'hi', tools }).tools).toEqual([
      { name: 'f', parameters, definition: { type: 'function', function: { name: 'f', parameters } } },
      {
        name: 'g',
        description: 'does',
        strict: true,
        definition: { type: 'function', function: { name: 'g', description: 'does', strict: true } },
      },
      { name: 'nested', parameters, definition: { type: 'function', function: { name: 'nested', parameters } } },
    ]);
  });

  it('are one flat list out of namespaces', () => {
    const inner = [
      { type: 'function', name: 'find' },
      { type: 'custom', name: 'note' },
    ];
    const tools = [{ type: 'namespace', name: 'mcp__crm__', description: 'd', tools: inner }];
    expect(chat({ input: 'hi', tools }).tools.map((tool) => tool.name)).toEqual(['mcp__crm__find', 'mcp__crm__note']);
    const replayed = { type: 'function_call', call_id: 'c', namespace: 'mcp__crm__', name: 'find', arguments: '{}' };
    expect(chat({ input: [replayed], tools }).messages).toMatchObject([{ toolCalls: [{ name: 'mcp__crm__find' }] }]);
  });

  it('may be free-form: a function with one text, held to its grammar', () => {
    const tools = [
      {
        type: 'custom',
        name: 'run',
        description: 'Runs.',
        format: { type: 'grammar', syntax: 'regex', definition: 'ls|pwd' },
      },
    ];
    const description = 'Runs.\n\n`input` follows this regex grammar:\nls|pwd';
    const input = { type: 'object', required: ['input'], additionalProperties: false };
    expect(chat({ input: 'hi', tools }).tools).toEqual([
      {
        name: 'run',
        description,
        parameters: { ...input, properties: { input: { type: 'string', pattern: '^(?:ls|pwd)$' } } },
        strict: true,
        definition: {
          type: 'function',
          function: { name: 'run', description, parameters: { ...input, properties: { input: { type: 'string' } } } },
        },
        freeform: {},
      },
    ]);
  });

  it('warn when a grammar cannot be enforced', () => {
    const format = { type: 'grammar', syntax: 'lark', definition: 'start: "(" start ")" | "x"' };
    const call = parseResponses({ input: 'hi', tools: [{ type: 'custom', name: 'run', format }] });
    expect(call.warnings).toEqual(['The grammar of the tool "run" is not enforced: it is shown to the model as text.']);
    expect(call.generations[0]?.prompt).toMatchObject({ tools: [{ name: 'run', freeform: {} }] });
    expect(call.generations[0]?.prompt).not.toHaveProperty('tools.0.strict');
  });

  it('that run elsewhere are left out with a warning', () => {
    const call = parseResponses({ input: 'hi', tools: [{ type: 'web_search' }, { type: 'mcp', server_label: 's' }] });
    expect(call.generations[0]?.prompt).toMatchObject({ tools: [] });
    expect(call.warnings).toEqual([
      'Tools of type "web_search" run elsewhere and are not offered to the model.',
      'Tools of type "mcp" run elsewhere and are not offered to the model.',
    ]);
  });

  it('may be declared again by an input item', () => {
    const again = {
      type: 'additional_tools',
      role: 'developer',
      tools: [{ type: 'function', name: 'f', description: 'new' }],
    };
    const call = parseResponses({
      input: [again],
      tools: [
        { type: 'function', name: 'f' },
        { type: 'function', name: 'g' },
      ],
    });
    expect(call.generations[0]?.prompt).toMatchObject({ tools: [{ name: 'f', description: 'new' }, { name: 'g' }] });
    expect(call.warnings).toEqual(['The tool "f" is declared more than once; its last declaration counts.']);
  });

  const tools = [
    { type: 'function', name: 'f' },
    { type: 'custom', name: 'c' },
    { type: 'namespace', name: 'ns', tools: [{ type: 'function', name: 'find' }] },
  ];

  it.each([
    [undefined, { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', name: 'f' },
      { type: 'function', name: 'f' },
    ],
    [
      { type: 'function', function: { name: 'f' } },
      { type: 'function', name: 'f' },
    ],
    [
      { type: 'custom', name: 'c' },
      { type: 'function', name: 'c' },
    ],
    [
      { type: 'function', name: 'find', namespace: 'ns' },
      { type: 'function', name: 'ns__find' },
    ],
    [
      { type: 'function', name: 'find' },
      { type: 'function', name: 'ns__find' },
    ],
    [
      {
        type: 'allowed_tools',
        mode: 'required',
        tools: [
          { type: 'function', name: 'f' },
          { type: 'custom', name: 'c' },
        ],
      },
      { type: 'allowed', mode: 'required', names: ['f', 'c'] },
    ],
    [{ type: 'web_search_preview' }, { type: 'auto' }],
  ])('are chosen by tool_choice %j', (choice, wanted) => {
    expect(chat({ input: 'hi', tools, tool_choice: choice }).toolChoice).toEqual(wanted);
  });

  it('are called once where one is named, and as often as the model likes where a call is required', () => {
    const parallel = (tool_choice: unknown, parallel_tool_calls?: boolean) =>
      chat({ input: 'hi', tools, tool_choice, parallel_tool_calls }).parallelToolCalls;
    expect(parallel({ type: 'function', name: 'f' })).toBe(false);
    expect(parallel({ type: 'custom', name: 'c' }, true)).toBe(false);
    expect([parallel('required'), parallel('required', false)]).toEqual([undefined, false]);
  });

  it.each([
    [{ type: 'function', name: 'x' }, 'tool_choice'],
    [{ type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'x' }] }, 'tool_choice.tools[0]'],
  ])('refuse the choice of an unknown name: %j', (choice, param) => {
    const error = refused({ input: 'hi', tools, tool_choice: choice });
    expect(error.details.param).toBe(param);
    expect(error.message).toContain('names "x", which is not among the tools of this request: f, c, ns__find.');
  });
});

describe('requests of Codex', () => {
  it.each(Object.entries(codexRequests))('are served: %s', (_, body) => {
    expect(chat(body).messages.length).toBeGreaterThan(0);
  });

  it('offer every tool that the model can call', () => {
    expect(chat(codexRequests['a first turn']).tools.map((tool) => tool.name)).toEqual([
      'exec_command',
      'apply_patch',
      'collaboration__spawn_agent',
    ]);
    expect(chat(codexRequests['tools that come as an input item']).tools.map((tool) => tool.name)).toEqual([
      'functions__exec',
      'collaboration__spawn_agent',
    ]);
  });

  it('warn about what the model does not get to see, and about nothing else', () => {
    const warnings = (name: keyof typeof codexRequests) => parseResponses(codexRequests[name]).warnings;
    expect(warnings('a first turn')).toEqual([
      'Tools of type "web_search" run elsewhere and are not offered to the model.',
    ]);
    expect(warnings('tools that come as an input item')).toEqual([]);
    expect(warnings('an image in the output of a tool')).toHaveLength(1);
  });

  it('keep the conversation on its slot', () => {
    expect(generation(codexRequests['a first turn']).keys).toEqual({
      sessionId: '019a9e58-7658-7532-a454-f8ecf068d9fd',
    });
  });
});

describe('any body at all', () => {
  const word = fc.constantFrom(
    'message',
    'reasoning',
    'function_call',
    'custom_tool_call',
    'local_shell_call',
    'user',
    'x',
  );
  const value: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constant(null),
      fc.integer(),
      fc.boolean(),
      word,
      tie('list'),
      tie('object'),
    ),
    list: fc.array(tie('value'), { maxLength: 3 }),
    object: fc.dictionary(
      fc.constantFrom(
        'type',
        'role',
        'content',
        'id',
        'call_id',
        'name',
        'arguments',
        'input',
        'output',
        'tools',
        'text',
        'action',
        'summary',
      ),
      tie('value'),
      { maxKeys: 5 },
    ),
  })).value;
  const fields = ['input', 'instructions', 'tools', 'tool_choice', 'text', 'reasoning', 'include', 'metadata'];

  it('is served or refused with a field to look at', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...fields), value), (body) => {
        try {
          expect(parseResponses(body).generations).toHaveLength(1);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(ServeError);
          expect(thrown).toMatchObject({ code: 'invalid_request', details: { param: expect.any(String) } });
        }
      }),
      { numRuns: runs(200) },
    );
  });
});
