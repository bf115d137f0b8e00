import { describe, expect, it } from 'vitest';
import { ollamaChat, ollamaGenerate } from '../../../src/dialects/ollama/index.ts';

const messages = [{ role: 'user', content: 'Hi' }];
const chat = (more: object) => ollamaChat.parse({ model: 'demo', messages, ...more });
const generate = (more: object) => ollamaGenerate.parse({ model: 'demo', prompt: 'Hi', ...more });

describe('request of /api/chat', () => {
  it('streams unless told otherwise and leaves the rest to the model', () => {
    expect(chat({})).toEqual({
      generations: [
        {
          model: 'demo',
          prompt: {
            type: 'chat',
            messages,
            tools: [],
            toolChoice: { type: 'auto' },
            reasoning: {},
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
      stream: true,
      warnings: [],
    });
    expect(chat({ stream: false }).stream).toBe(false);
  });

  it('takes its options', () => {
    const options = {
      num_predict: 5,
      temperature: 0.3,
      top_k: 2,
      top_p: 0.4,
      min_p: 0.1,
      seed: 7,
      repeat_penalty: 1.2,
      presence_penalty: 0.5,
      frequency_penalty: 0.25,
      stop: ['x'],
    };
    expect(chat({ options }).generations[0]).toMatchObject({
      maxTokens: 5,
      stop: ['x'],
      sampling: {
        temperature: 0.3,
        topK: 2,
        topP: 0.4,
        minP: 0.1,
        seed: 7,
        repeatPenalty: 1.2,
        presencePenalty: 0.5,
        frequencyPenalty: 0.25,
      },
    });
  });

  it.each([
    [{ temperature: 3 }, { temperature: 3 }],
    [{ temperature: -1 }, { temperature: 0 }],
    [{ repeat_penalty: 0 }, { repeatPenalty: 1 }],
    [{ repeat_penalty: 20 }, { repeatPenalty: 20 }],
    [
      { top_p: 1.5, min_p: -0.1, top_k: -5 },
      { topP: 1, minP: 0, topK: -5 },
    ],
    [
      { frequency_penalty: 4, presence_penalty: -3 },
      { frequencyPenalty: 4, presencePenalty: -3 },
    ],
  ])('refuses no number in its options: %j', (options, sampling) => {
    expect(chat({ options }).generations[0]?.sampling).toEqual(sampling);
  });

  it('says which options it ignored', () => {
    expect(chat({ options: { num_ctx: 4096, num_gpu: null, tfs_z: 0.7 } }).warnings).toEqual([
      'num_ctx is not supported and was ignored',
      'tfs_z is not supported and was ignored',
    ]);
  });

  it.each([-3, -2, -1, 0])('puts no limit for num_predict %i', (num_predict) => {
    expect(chat({ options: { num_predict } }).generations[0]?.maxTokens).toBe(-1);
  });

  it.each([
    [true, { enabled: true }],
    [false, { enabled: false }],
    ['high', { enabled: true, effort: 'high' }],
    ['none', { enabled: false }],
    [null, {}],
  ])('reads think %j', (think, reasoning) => {
    expect(chat({ think }).generations[0]?.prompt).toMatchObject({ reasoning });
  });

  it.each([
    ['json', { type: 'json' }],
    ['', { type: 'text' }],
    [{ type: 'object' }, { type: 'json-schema', schema: { type: 'object' } }],
  ])('reads format %j', (format, outputShape) => {
    expect(chat({ format }).generations[0]?.outputShape).toEqual(outputShape);
  });

  it('gives tool answers to the calls they belong to, by name or by order', () => {
    const call = (name: string, value: number) => ({ function: { name, arguments: { value } } });
    const { generations } = ollamaChat.parse({
      messages: [
        { role: 'user', content: 'Go' },
        { role: 'assistant', content: '', thinking: 'hm', tool_calls: [call('a', 1), call('b', 2), call('a', 3)] },
        { role: 'tool', content: 'b2', tool_name: 'b' },
        { role: 'tool', content: 'a1', tool_name: 'a' },
        { role: 'tool', content: 'a3' },
        { role: 'tool', content: 'stray', tool_name: 'c' },
      ],
    });
    expect(generations[0]?.prompt).toMatchObject({
      messages: [
        { role: 'user', content: 'Go' },
        {
          role: 'assistant',
          content: null,
          reasoning: 'hm',
          toolCalls: [
            { id: 'call_1_0', name: 'a', arguments: '{"value":1}' },
            { id: 'call_1_1', name: 'b', arguments: '{"value":2}' },
            { id: 'call_1_2', name: 'a', arguments: '{"value":3}' },
          ],
        },
        { role: 'tool', content: 'b2', toolCallId: 'call_1_1', name: 'b' },
        { role: 'tool', content: 'a1', toolCallId: 'call_1_0', name: 'a' },
        { role: 'tool', content: 'a3', toolCallId: 'call_1_2', name: 'a' },
        { role: 'tool', content: 'stray', toolCallId: 'call_5', name: 'c' },
      ],
    });
  });

  it('keeps ids that the client sent', () => {
    const { generations } = ollamaChat.parse({
      messages: [
        { role: 'assistant', tool_calls: [{ id: 'x1', function: { name: 'a' } }] },
        { role: 'tool', content: 'r', tool_call_id: 'x1' },
      ],
    });
    expect(generations[0]?.prompt).toMatchObject({
      messages: [
        { role: 'assistant', content: null, toolCalls: [{ id: 'x1', name: 'a', arguments: '{}' }] },
        { role: 'tool', content: 'r', toolCallId: 'x1', name: 'a' },
      ],
    });
  });

  it('puts images in front of the text that they come with', () => {
    const image = { type: 'image', source: { type: 'file', base64: 'AAAA' } };
    const call = chat({ messages: [{ role: 'user', content: 'a', images: ['AAAA'] }] });
    expect(call.generations[0]?.prompt).toMatchObject({
      messages: [{ role: 'user', content: [image, { type: 'text', text: 'a' }] }],
    });
  });

  it('generates nothing without messages', () => {
    for (const body of [{ model: 'demo' }, { model: 'demo', messages: [] }])
      expect(ollamaChat.parse(body)).toMatchObject({ generations: [], model: 'demo', wish: 'load' });
  });

  it.each([
    [{ messages: [{ role: 'user', content: 'a', images: ['?'] }] }, 'messages[0].images[0]'],
    [{ messages: [{ role: 'user', content: 'a', images: [1] }] }, 'messages[0].images[0]'],
    [{ messages: [{ role: 'robot', content: 'a' }] }, 'messages[0].role'],
    [{ options: { temperature: 'hot' } }, 'options.temperature'],
    [{ options: { num_predict: 1.5 } }, 'options.num_predict'],
    [{ format: 'xml' }, 'format'],
    [{ tools: [{ type: 'function', function: {} }] }, 'tools[0].function.name'],
  ])('refuses %j', (body, param) => {
    expect(() => chat(body)).toThrow(expect.objectContaining({ details: { param } }));
  });
});

describe('request of /api/generate', () => {
  it('asks as a user, under the system message when there is one', () => {
    expect(generate({ system: 'Be short.', think: false }).generations[0]?.prompt).toEqual({
      type: 'chat',
      messages: [
        { role: 'system', content: 'Be short.' },
        { role: 'user', content: 'Hi' },
      ],
      tools: [],
      toolChoice: { type: 'none' },
      reasoning: { enabled: false },
      templateVariables: {},
      continueFinalMessage: true,
    });
  });

  it('takes a raw prompt as it is and a suffix as fill-in-the-middle', () => {
    expect(generate({ raw: true }).generations[0]?.prompt).toEqual({ type: 'text', text: 'Hi' });
    expect(generate({ suffix: ')' }).generations[0]?.prompt).toEqual({
      type: 'infill',
      prefix: 'Hi',
      suffix: ')',
      extra: [],
    });
  });

  it.each([
    ['5m', 'load'],
    [-1, 'load'],
    [undefined, 'load'],
    [0, 'unload'],
    ['0', 'unload'],
    ['0s', 'unload'],
  ])('without a prompt, keep_alive %j means %s', (keep_alive, wish) => {
    expect(ollamaGenerate.parse({ model: 'demo', keep_alive })).toMatchObject({
      generations: [],
      model: 'demo',
      wish,
    });
  });

  it('says that keep_alive is not its to set', () => {
    expect(generate({ think: 'ultra' }).warnings).toEqual([
      'think "ultra" is not known here and is taken as "high" unless the chat template knows it',
    ]);
    expect(generate({ think: 'max' }).warnings).toEqual([]);
    expect(generate({ keep_alive: '5m' }).warnings).toEqual(['keep_alive is set for the whole server and was ignored']);
  });

  it.each([
    [{ context: [1, 2] }, 'context'],
    [{ template: '{{ .Prompt }}' }, 'template'],
    [{ images: ['AAAA'], prompt: 'a', raw: true }, 'images'],
  ])('refuses %j rather than dropping it', (body, param) => {
    expect(() => generate(body)).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', details: { param } }),
    );
  });
});
