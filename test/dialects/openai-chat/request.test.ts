import { describe, expect, it } from 'vitest';
import { ServeError } from '../../../src/contract/errors.ts';
import type { ChatPrompt, GenerationRequest } from '../../../src/contract/request.ts';
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts';
import { refusedFields } from '../../../src/dialects/openai-chat/unsupported.ts';

const user = { role: 'user', content: 'Hello' };
const weather = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } };
const call = { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":' } };

function parse(body: object): GenerationRequest {
  const [first] = openaiChat.parse({ messages: [user], ...body }).generations;
  if (!first) throw new Error('no generation');
  return first;
}

function chat(body: object): ChatPrompt {
  const { prompt } = parse(body);
  if (prompt.type !== 'chat') throw new Error('no chat');
  return prompt;
}

function refusal(body: unknown): [string, string | undefined, string] {
  try {
    openaiChat.parse(body);
  } catch (error) {
    if (error instanceof ServeError) return [error.code, error.details.param, error.message];
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('a chat request', () => {
  it('needs nothing but messages', () => {
    expect(openaiChat.parse({ messages: [user] })).toEqual({
      generations: [
        {
          sampling: {},
          ignoreEos: false,
          cachePrompt: true,
          priority: 3,
          keys: {},
          prompt: {
            type: 'chat',
            messages: [{ role: 'user', content: 'Hello' }],
            tools: [],
            toolChoice: { type: 'auto' },
            reasoning: {},
            templateVariables: {},
            continueFinalMessage: true,
          },
          maxTokens: -1,
          stop: [],
          outputShape: { type: 'text' },
        },
      ],
      stream: false,
      includeUsage: false,
      warnings: [],
      serverTools: expect.any(Function),
    });
  });

  it('becomes one generation per choice, a given seed counting up', () => {
    const { generations } = openaiChat.parse({ messages: [user], n: 3, seed: 41 });
    expect(generations.map(({ sampling }) => sampling.seed)).toEqual([41, 42, 43]);
  });

  it.each([
    [{}, -1],
    [{ max_tokens: -1 }, -1],
    [{ max_tokens: 5 }, 5],
    [{ max_tokens: 0 }, 0],
    [{ max_completion_tokens: 7, max_tokens: 5 }, 7],
    [{ max_completion_tokens: null, max_tokens: 5 }, 5],
    [{ max_tokens: 32_000 }, 32_000],
  ])('%j allows %d tokens', (body, maxTokens) => {
    expect(parse(body).maxTokens).toBe(maxTokens);
  });

  it.each([
    [{ logprobs: true }, { top: 0 }],
    [{ logprobs: true, top_logprobs: 5 }, { top: 5 }],
    [{ logprobs: false }, undefined],
    [{ logprobs: false, top_logprobs: 0 }, undefined],
  ])('%j asks for log probabilities %j', (body, logprobs) => {
    expect(parse(body).logprobs).toEqual(logprobs);
  });

  it.each([
    [{ reasoning_effort: 'low' }, { effort: 'low' }],
    [{ reasoning_effort: 'none' }, { enabled: false }],
    [{ reasoning: { effort: 'high', max_tokens: 50 } }, { effort: 'high', budget: 50 }],
    [{ reasoning: { enabled: false } }, { enabled: false }],
    [{ thinking: { type: 'enabled', budget_tokens: 9 } }, { enabled: true, budget: 9 }],
    [{ thinking: { type: 'disabled' } }, { enabled: false }],
    [{ thinking: { type: 'adaptive' } }, {}],
    [{ thinking: { type: 'disabled' }, enable_thinking: true }, { enabled: true }],
    [{ chat_template_kwargs: { enable_thinking: false } }, { enabled: false }],
    [
      { reasoning_budget: 0, reasoning_format: 'none' },
      { budget: 0, format: 'none' },
    ],
  ])('%j thinks as %j', (body, reasoning) => {
    expect(chat(body).reasoning).toEqual(reasoning);
  });

  it('hands template variables, documents and switches on', () => {
    expect(
      chat({
        chat_template_kwargs: { language: 'de' },
        documents: [{ title: 'a', text: 'b' }],
        continue_final_message: false,
        auto_heal_tool_calls: false,
        parallel_tool_calls: false,
      }),
    ).toMatchObject({
      templateVariables: { language: 'de' },
      documents: [{ title: 'a', text: 'b' }],
      continueFinalMessage: false,
      autoHealToolCalls: false,
      parallelToolCalls: false,
    });
  });

  it('leaves it to the model where the word for its thinking is new, with a warning', () => {
    const { generations, warnings } = openaiChat.parse({ messages: [user], thinking: { type: 'interleaved' } });
    expect(generations[0]?.prompt).toMatchObject({ reasoning: {} });
    expect(warnings).toEqual(['thinking.type "interleaved" is not known here and was taken as "adaptive"']);
    expect(openaiChat.parse({ messages: [user], thinking: { type: 'auto' } }).warnings).toEqual([]);
  });

  it('warns of words that came after this server where they would change nothing', () => {
    const warnings = (more: object) => openaiChat.parse({ messages: [user], ...more }).warnings;
    expect(warnings({ verbosity: 'chatty', service_tier: 'gold', prompt_cache_retention: '9h' })).toEqual([
      'verbosity "chatty" is not known here and was taken as "medium"',
      'service_tier "gold" is not known here and was taken as "default"',
      'prompt_cache_retention "9h" is not known here and was taken as "in_memory"',
    ]);
    const effort =
      'reasoning_effort "ultra" is not known here and is taken as "high" unless the chat template knows it';
    expect(warnings({ reasoning_effort: 'ultra' })).toEqual([effort]);
    expect(warnings({ reasoning: { effort: 'ultra' } })).toEqual([effort]);
    for (const known of ['none', 'minimal', 'xhigh', 'max']) expect(warnings({ reasoning_effort: known })).toEqual([]);
    expect(warnings({ verbosity: 'low', service_tier: 'flex', prompt_cache_retention: '24h' })).toEqual([]);
    expect(warnings({ verbosity: null, service_tier: null, prompt_cache_retention: null })).toEqual([]);
  });

  it('continues a message by name only where there is one to continue', () => {
    const answer = { role: 'assistant', content: 'The' };
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
    const parse = (...messages: object[]) => openaiChat.parse({ messages, continue_final_message: true });
    expect(parse(user, answer).generations[0]?.prompt).toMatchObject({ continueFinalMessage: true });
    for (const last of [user, { ...answer, tool_calls: [call] }, { role: 'tool', tool_call_id: 'a', content: 'x' }])
      expect(() => parse(user, last)).toThrow(
        expect.objectContaining({ code: 'invalid_request', details: { param: 'continue_final_message' } }),
      );
    expect(openaiChat.parse({ messages: [user] }).generations[0]?.prompt).toMatchObject({ continueFinalMessage: true });
  });

  it('names the samplers that it does not have', () => {
    expect(openaiChat.parse({ messages: [user], use_beam_search: true, length_penalty: 1 }).warnings).toEqual([
      'use_beam_search is not supported and was ignored',
    ]);
  });

  it('ignores what it does not know and what changes nothing', () => {
    const body = {
      foo: 1,
      metadata: { a: 'b' },
      store: true,
      service_tier: 'auto',
      safety_identifier: 'x',
      prompt_cache_retention: '24h',
      prediction: { type: 'content', content: 'x' },
      verbosity: 'low',
      modalities: ['text'],
      functions: [],
      function_call: 'auto',
      audio: null,
      web_search_options: null,
    };
    expect(parse(body)).toEqual(parse({}));
  });
});

describe('messages', () => {
  it.each([
    ['text', { role: 'user', content: '' }, { role: 'user', content: '' }],
    ['a developer', { role: 'developer', content: 'x' }, { role: 'developer', content: 'x' }],
    [
      'parts',
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a', cache_control: {} },
          { type: 'text', text: 'b' },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'a' },
          { type: 'text', text: 'b' },
        ],
      },
    ],
    [
      'a refusal part',
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'no' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'no' }] },
    ],
    ['a refusal', { role: 'assistant', content: null, refusal: 'no' }, { role: 'assistant', content: 'no' }],
    [
      'tool calls without content',
      { role: 'assistant', content: null, tool_calls: [call] },
      { role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'weather', arguments: '{"city":' }] },
    ],
    [
      'arguments as an object',
      { role: 'assistant', tool_calls: [{ ...call, function: { name: 'weather', arguments: { a: 1 } } }] },
      { role: 'assistant', content: null, toolCalls: [{ id: 'c1', name: 'weather', arguments: '{"a":1}' }] },
    ],
    [
      'a tool result',
      { role: 'tool', tool_call_id: 'c1', content: '7 degrees', name: 'weather' },
      { role: 'tool', toolCallId: 'c1', content: '7 degrees', name: 'weather' },
    ],
    [
      'reasoning',
      { role: 'assistant', content: 'a', reasoning: 'r' },
      { role: 'assistant', content: 'a', reasoning: 'r' },
    ],
    [
      'reasoning_content',
      { role: 'assistant', content: 'a', reasoning: '', reasoning_content: 'r' },
      { role: 'assistant', content: 'a', reasoning: 'r' },
    ],
  ])('with %s are understood', (_, wire, message) => {
    expect(chat({ messages: [wire] }).messages).toEqual([message]);
  });

  it.each<[string, unknown, string, string]>([
    ['none', [], 'messages', '`messages` is [], but must be at least 1 entry long.'],
    ['no list', 'hi', 'messages', '`messages` is "hi", but must be a list.'],
    ['an unknown role', [{ role: 'bot', content: 'a' }], 'messages[0].role', 'must be one of "system", "developer"'],
    ['no content', [{ role: 'user' }], 'messages[0].content', 'is missing'],
    ['null content', [{ role: 'user', content: null }], 'messages[0].content', 'must be a string or a list'],
    ['no tool_call_id', [{ role: 'tool', content: 'a' }], 'messages[0].tool_call_id', 'is missing'],
    ['nothing in an answer', [user, { role: 'assistant' }], 'messages[1].content', 'has neither'],
    ['null in an answer', [{ role: 'assistant', content: null, tool_calls: [] }], 'messages[0].content', 'has neither'],
    ['calls of a user', [{ ...user, tool_calls: [call] }], 'messages[0].tool_calls', 'Only an assistant message'],
    [
      'an image without base64',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:' } }] }],
      'messages[0].content[0].image_url',
      'without base64',
    ],
    [
      'a file of the server',
      [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] }],
      'messages[0].content[0].image_url',
      "Files are not read from the server's disk.",
    ],
    [
      'a film behind text',
      [{ role: 'user', content: [{ type: 'text', text: 'a' }, { type: 'video_url' }] }],
      'messages[0].content[1].type',
      'This server takes text, images and audio, and a content part is of type "video_url".',
    ],
    [
      'audio without data',
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { format: 'wav' } }] }],
      'messages[0].content[0].input_audio.data',
      'it must be a string',
    ],
    [
      'audio that is no base64',
      [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: '%', format: 'wav' } }] }],
      'messages[0].content[0].input_audio.data',
      'is no base64',
    ],
    [
      'audio of the server',
      [{ role: 'user', content: [{ type: 'audio_url', audio_url: { url: 'file:///a.wav' } }] }],
      'messages[0].content[0].audio_url',
      "is no sound: give a data: URI with base64, or an http(s) address. Files are not read from the server's disk.",
    ],
    [
      'an old function call',
      [{ role: 'assistant', content: null, function_call: { name: 'a', arguments: '' } }],
      'messages[0].function_call',
      'as an entry of `tool_calls`',
    ],
  ])('with %s are refused', (_, messages, param, message) => {
    const [, at, text] = refusal({ messages });
    expect(at).toBe(param);
    expect(text).toContain(message);
  });
});

describe('images', () => {
  const image = (param: string) => ({ type: 'image', source: { type: 'file', base64: 'AAAA' }, param });
  const messagesOf = (body: object) => chat(body).messages;

  it('stay where they are among the parts, by data: URI or by address', () => {
    const content = [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA', detail: 'low' } },
      { type: 'text', text: 'a' },
      { type: 'image_url', image_url: 'https://example.com/b.png' },
    ];
    expect(messagesOf({ messages: [{ role: 'user', content }] })[0]?.content).toEqual([
      image('messages[0].content[0].image_url'),
      { type: 'text', text: 'a' },
      {
        type: 'image',
        source: { type: 'url', url: 'https://example.com/b.png' },
        param: 'messages[0].content[2].image_url',
      },
    ]);
  });

  it('as image_base64 go to the last message of the user', () => {
    const messages = [user, { role: 'assistant', content: 'b' }, { role: 'user', content: 'c' }];
    expect(messagesOf({ messages, image_base64: 'AAAA' })).toMatchObject([
      user,
      { role: 'assistant', content: 'b' },
      { role: 'user', content: [image('image_base64'), { type: 'text', text: 'c' }] },
    ]);
  });
});

describe('sounds', () => {
  it('stay where they are among the parts, as base64, by data: URI or by address', () => {
    const content = [
      { type: 'text', text: 'a' },
      { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } },
      { type: 'input_audio', input_audio: { data: 'data:audio/mp3;base64,AAAA' } },
      { type: 'audio_url', audio_url: { url: 'https://example.com/b.wav' } },
    ];
    const file = (at: number) => ({
      type: 'audio',
      source: { type: 'file', base64: 'AAAA' },
      param: `messages[0].content[${at}].input_audio.data`,
    });
    expect(chat({ messages: [{ role: 'user', content }] }).messages[0]?.content).toEqual([
      { type: 'text', text: 'a' },
      file(1),
      file(2),
      {
        type: 'audio',
        source: { type: 'url', url: 'https://example.com/b.wav' },
        param: 'messages[0].content[3].audio_url',
      },
    ]);
  });
});

describe('tools', () => {
  it('reach the template as they came, without the fields that were written as null', () => {
    const definition = {
      function: {
        parameters: { type: 'object', properties: { a: { default: null } } },
        name: 'f',
        description: null,
        strict: null,
        response: { x: 1 },
      },
      type: 'function',
    };
    const [tool] = chat({ tools: [definition] }).tools;
    expect(JSON.stringify(tool?.definition)).toBe(
      '{"function":{"parameters":{"type":"object","properties":{"a":{"default":null}}},"name":"f","response":{"x":1}},"type":"function"}',
    );
    expect(tool).toMatchObject({ name: 'f', parameters: definition.function.parameters });
    expect(Object.keys(tool ?? {}).sort()).toEqual(['definition', 'name', 'parameters']);
  });

  it.each([
    [undefined, { type: 'auto' }],
    [null, { type: 'auto' }],
    ['none', { type: 'none' }],
    ['required', { type: 'required' }],
    [
      { type: 'function', function: { name: 'weather' } },
      { type: 'function', name: 'weather' },
    ],
    [
      { type: 'function', name: 'weather' },
      { type: 'function', name: 'weather' },
    ],
    [
      {
        type: 'allowed_tools',
        allowed_tools: { mode: 'required', tools: [{ type: 'function', function: { name: 'weather' } }] },
      },
      { type: 'allowed', mode: 'required', names: ['weather'] },
    ],
    [
      { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'weather' }] },
      { type: 'allowed', mode: 'auto', names: ['weather'] },
    ],
  ])('with tool_choice %j are chosen by %j', (tool_choice, toolChoice) => {
    expect(chat({ tools: [weather], tool_choice }).toolChoice).toEqual(toolChoice);
  });

  it('are called once where one is named, and as often as the model likes where a call is required', () => {
    const parallel = (tool_choice: unknown, parallel_tool_calls?: boolean) =>
      chat({ tools: [weather], tool_choice, parallel_tool_calls }).parallelToolCalls;
    const named = { type: 'function', function: { name: 'weather' } };
    expect([parallel(named), parallel(named, true)]).toEqual([false, false]);
    expect([parallel('required'), parallel('required', false), parallel('auto')]).toEqual([
      undefined,
      false,
      undefined,
    ]);
  });

  it.each<[string, object, string, string]>([
    ['of another kind', { tools: [{ type: 'custom', custom: { name: 'a' } }] }, 'tools[0].type', 'use /v1/responses'],
    [
      'without a name',
      { tools: [weather, { type: 'function', function: {} }] },
      'tools[1].function.name',
      'is missing',
    ],
    ['that are none', { tool_choice: 'required' }, 'tool_choice', 'offers no `tools`'],
    [
      'without the chosen one',
      { tools: [weather], tool_choice: { type: 'function', function: { name: 'sun' } } },
      'tool_choice',
      'names the tool "sun", but `tools` has only "weather"',
    ],
    ['with a strange choice', { tools: [weather], tool_choice: 'maybe' }, 'tool_choice', 'is "maybe", but must be'],
    ['with a custom choice', { tools: [weather], tool_choice: { type: 'custom' } }, 'tool_choice', 'but must be'],
  ])('%s are refused', (_, body, param, message) => {
    const [, at, text] = refusal({ messages: [user], ...body });
    expect(at).toBe(param);
    expect(text).toContain(message);
  });
});

describe('the form of the answer', () => {
  const schema = { type: 'object' };
  it.each([
    [{ response_format: { type: 'text' } }, { type: 'text' }],
    [{ response_format: { type: 'json_object' } }, { type: 'json' }],
    [{ response_format: { type: 'json_object', schema } }, { type: 'json-schema', schema }],
    [
      { response_format: { type: 'json_schema', json_schema: { name: 'n', schema, strict: true } } },
      { type: 'json-schema', schema, name: 'n', strict: true },
    ],
    [{ response_format: { type: 'json_schema', schema } }, { type: 'json-schema', schema }],
    [{ json_schema: schema }, { type: 'json-schema', schema }],
    [{ grammar: 'root ::= "a"' }, { type: 'grammar', grammar: 'root ::= "a"' }],
    [{ grammar: '' }, { type: 'text' }],
  ])('%j is %j', (body, shape) => {
    expect(parse(body).outputShape).toEqual(shape);
  });

  it.each([
    [{ grammar: 'root ::= "a"', json_schema: {} }, 'grammar'],
    [{ response_format: { type: 'json_object' }, json_schema: {} }, 'json_schema'],
    [{ response_format: { type: 'xml' } }, 'response_format.type'],
    [{ response_format: { type: 'json_schema' } }, 'response_format.json_schema.schema'],
    [{ response_format: { type: 'json_schema', json_schema: { name: 'n' } } }, 'response_format.json_schema.schema'],
  ])('%j is refused', (body, param) => {
    expect(refusal({ messages: [user], ...body }).slice(0, 2)).toEqual(['invalid_request', param]);
  });
});

describe('a field that changes the meaning and is not supported', () => {
  const asking: Record<keyof typeof refusedFields, unknown> = {
    audio: { voice: 'a' },
    modalities: ['text', 'audio'],
    audio_base64: 'aGk=',
    functions: [{ name: 'a' }],
    function_call: { name: 'a' },
    web_search_options: {},
    moderation: {},
  };

  it.each(Object.keys(refusedFields))('%s is refused by its name', (field) => {
    const [code, param, message] = refusal({ messages: [user], [field]: asking[field] });
    expect([code, param]).toEqual(['unsupported_parameter', field]);
    expect(message).toContain(`\`${field}\` is not supported.`);
  });

  it.each([
    [{ n: 9 }, 'n'],
    [{ n: 0 }, 'n'],
    [{ top_logprobs: 3 }, 'top_logprobs'],
    [{ logprobs: true, top_logprobs: 21 }, 'top_logprobs'],
    [{ stream: 'yes' }, 'stream'],
    [{ temperature: -0.1 }, 'temperature'],
    [{ max_completion_tokens: -2 }, 'max_completion_tokens'],
    [{ priority: 6 }, 'priority'],
  ])('%j is out of bounds', (body, param) => {
    expect(refusal({ messages: [user], ...body }).slice(0, 2)).toEqual(['invalid_request', param]);
  });
});
