import { describe, expect, it } from 'vitest';
import type { PromptOpening } from '../../src/contract/chat-format.ts';
import type { OutputShape, Tool, ToolChoice } from '../../src/contract/request.ts';
import { checkAnswer } from '../../src/grammar/check-answer.ts';
import { type ConstraintRequest, constrain } from '../../src/grammar/constraint.ts';
import { checkGrammar } from '../../src/grammar/gbnf/gbnf-check.ts';
import { GrammarWalker } from '../../src/grammar/gbnf/grammar-walker.ts';
import { chatFormats } from '../../src/output/detect-family.ts';

const weather: Tool = {
  name: 'get_weather',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, unit: { enum: ['C', 'F'] }, days: { type: 'integer', minimum: 1 } },
    required: ['city'],
    additionalProperties: false,
  },
  definition: {},
};
const clock: Tool = { name: 'get_time', definition: {} };
const answering: PromptOpening = { block: 'text', generationPrompt: '<|im_start|>assistant\n<think>\n\n</think>\n\n' };
const undecided: PromptOpening = { block: 'text', generationPrompt: '<|im_start|>assistant\n' };
const thinking: PromptOpening = { block: 'reasoning', generationPrompt: '<|im_start|>assistant\n<think>\n' };

function request(part: Partial<ConstraintRequest> & { family?: string }): ConstraintRequest {
  const { family = 'hermes', ...rest } = part;
  const format = chatFormats[family];
  if (!format) throw new Error(`no family ${family}`);
  return {
    format,
    opening: answering,
    tools: [weather, clock],
    toolChoice: { type: 'auto' },
    outputShape: { type: 'text' },
    strictTools: true,
    ...rest,
  };
}

/** `whole`: may end here. `open`: may go on. `no`: cannot be written. */
function verdict(part: Parameters<typeof request>[0], text: string): 'whole' | 'open' | 'no' {
  const key = JSON.stringify(part);
  if (!machines.has(key)) {
    const { grammar } = constrain(request(part));
    machines.set(key, grammar === undefined ? undefined : new GrammarWalker(checkGrammar(grammar)));
  }
  const machine = machines.get(key);
  if (!machine) return 'whole';
  machine.restart();
  if (!machine.accept(text)) return 'no';
  return machine.complete ? 'whole' : 'open';
}

/** By request: most tables ask about many texts of the same one. */
const machines = new Map<string, GrammarWalker | undefined>();

const call = (name: string, args: string) => `<tool_call>\n{"name": "${name}", "arguments": ${args}}\n</tool_call>`;
const berlin = call('get_weather', '{"city": "Berlin"}');
const time = call('get_time', '{}');
const choices: Record<string, ToolChoice> = {
  auto: { type: 'auto' },
  none: { type: 'none' },
  required: { type: 'required' },
  named: { type: 'function', name: 'get_time' },
  allowed: { type: 'allowed', mode: 'required', names: ['get_weather'] },
  'allowed auto': { type: 'allowed', mode: 'auto', names: ['get_weather'] },
};

describe('tool_choice in the grammar of an answer', () => {
  it.each<[string, string, 'whole' | 'open' | 'no']>([
    ['auto', 'Hello.', 'whole'],
    ['auto', '', 'whole'],
    ['auto', berlin, 'whole'],
    ['auto', `Let me see.\n${berlin}\n${time}`, 'whole'],
    ['auto', '<tool_call', 'whole'],
    ['auto', '<tool_call>', 'open'],
    ['auto', '<tool_call> no', 'no'],
    ['auto', call('get_rain', '{}'), 'no'],
    ['auto', call('get_weather', '{"town": "Berlin"}'), 'no'],
    ['auto', call('get_weather', '{}'), 'no'],
    ['auto', call('get_time', '{"a": 1}'), 'no'],
    ['auto', `${berlin} and text`, 'no'],
    ['none', 'Hello.', 'whole'],
    ['none', 'a <tool_call b', 'whole'],
    ['none', 'a <tool_call> b', 'no'],
    ['required', '', 'open'],
    ['required', 'Hello.', 'no'],
    ['required', berlin, 'whole'],
    ['required', `\n\n${berlin}`, 'whole'],
    ['required', `${time}\n${berlin}`, 'whole'],
    ['required', `${time}${berlin}`, 'no'],
    ['named', time, 'whole'],
    ['named', berlin, 'no'],
    ['named', 'x', 'no'],
    ['allowed', berlin, 'whole'],
    ['allowed', time, 'no'],
    ['allowed', 'Hello.', 'no'],
    ['allowed auto', 'Hello.', 'whole'],
    ['allowed auto', berlin, 'whole'],
    ['allowed auto', time, 'no'],
  ])('%s: %j is %s', (choice, text, expected) => {
    expect(verdict({ toolChoice: choices[choice] ?? { type: 'auto' } }, text)).toBe(expected);
  });

  it('allows one call only when parallel calls are off', () => {
    expect(verdict({ parallelToolCalls: false }, berlin)).toBe('whole');
    expect(verdict({ parallelToolCalls: false }, `${berlin}\n${time}`)).toBe('no');
    expect(verdict({ parallelToolCalls: false, toolChoice: { type: 'required' } }, `${berlin}\n${time}`)).toBe('no');
    expect(verdict({ parallelToolCalls: true, toolChoice: { type: 'required' } }, `${berlin}\n${time}`)).toBe('whole');
  });

  it('leaves the model free when no tool is strict', () => {
    expect(constrain(request({ strictTools: false })).grammar).toBeUndefined();
    expect(
      verdict({ strictTools: true, tools: [{ ...weather, strict: false }] }, call('get_weather', '{"x": 1}')),
    ).toBe('whole');
    expect(
      verdict({ strictTools: false, tools: [{ ...weather, strict: true }] }, call('get_weather', '{"x": 1}')),
    ).toBe('no');
    expect(verdict({ strictTools: false, toolChoice: { type: 'required' } }, call('get_weather', '{"x": 1}'))).toBe(
      'whole',
    );
  });

  it('refuses a choice that cannot be met', () => {
    const silent = { ...request({}).format, toolCalls: undefined };
    expect(() => constrain(request({ toolChoice: { type: 'function', name: 'x' } }))).toThrow(
      'tool_choice names the tool "x", but the request offers: get_weather, get_time.',
    );
    expect(() => constrain(request({ tools: [], toolChoice: { type: 'required' } }))).toThrow('has no tools');
    expect(() => constrain(request({ format: silent, toolChoice: { type: 'required' } }))).toThrow('no tool calls');
    expect(constrain(request({ format: silent })).grammar).toBeUndefined();
  });
});

describe('thoughts before a constrained answer', () => {
  const required: ToolChoice = { type: 'required' };
  it.each<[string, PromptOpening, ToolChoice, string, 'whole' | 'open' | 'no']>([
    ['a thought that the prompt has opened', thinking, required, `I think.\n</think>\n\n${time}`, 'whole'],
    ['no call without the end of the thought', thinking, required, `I think. ${time}`, 'open'],
    ['no end within a thought when a call is required', thinking, required, 'I think.', 'open'],
    ['an end within a thought of a free answer', thinking, { type: 'auto' }, 'I think.', 'whole'],
    ['text behind a thought', thinking, { type: 'auto' }, 'I think.</think>\n\nHello', 'whole'],
    ['markup in a thought is thought', thinking, { type: 'auto' }, 'A <tool_call> is x.</think>Hello', 'whole'],
    ['a thought of its own', undecided, required, `<think>\nHm.\n</think>\n\n${time}`, 'whole'],
    ['no thought', undecided, required, time, 'whole'],
    ['an empty thought', undecided, required, `<think>\n\n</think>\n\n${time}`, 'whole'],
    ['no second thought', answering, required, `<think>\n</think>${time}`, 'no'],
    ['no text behind a thought', undecided, required, '<think>\nHm.\n</think>\n\nHello', 'no'],
  ])('%s', (_, opening, toolChoice, text, expected) => {
    expect(verdict({ opening, toolChoice }, text)).toBe(expected);
  });

  it('says what may follow a thought that was ended from outside', () => {
    const { afterReasoning } = constrain(request({ opening: thinking, toolChoice: required }));
    const machine = new GrammarWalker(checkGrammar(afterReasoning ?? ''));
    expect(machine.accept(`\n${time}`) && machine.complete).toBe(true);
  });

  it('lets a call end an open thought where the family does so', () => {
    const coder = '<tool_call>\n<function=get_time>\n</function>\n</tool_call>';
    expect(verdict({ family: 'qwen3-coder', opening: thinking, toolChoice: required }, `Hm ${coder}`)).toBe('whole');
    expect(verdict({ family: 'hermes', opening: thinking, toolChoice: required }, `Hm ${time}`)).toBe('open');
  });
});

describe('response_format', () => {
  const schema: OutputShape = {
    type: 'json-schema',
    schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'], additionalProperties: false },
  };
  it.each<[string, OutputShape, Partial<ConstraintRequest>, string, 'whole' | 'open' | 'no']>([
    ['json_object', { type: 'json' }, { tools: [] }, '{"a": [1, {}]}', 'whole'],
    ['json_object is an object', { type: 'json' }, { tools: [] }, '[1]', 'no'],
    ['a schema', schema, { tools: [] }, '{"a": 1}', 'whole'],
    ['a schema', schema, { tools: [] }, '{"b": 1}', 'no'],
    ['a schema after a thought', schema, { tools: [], opening: thinking }, 'Hm.\n</think>\n\n{"a": 1}', 'whole'],
    ['never the answer in the thought', schema, { tools: [], opening: thinking }, '{"a": 1}', 'open'],
    ['a schema or a call', schema, {}, '{"a": 1}', 'whole'],
    ['a schema or a call', schema, {}, berlin, 'whole'],
    ['a schema or a call, no text', schema, {}, 'Hello', 'no'],
    ['a call although not strict', schema, { strictTools: false }, time, 'whole'],
    ['a required call', schema, { toolChoice: { type: 'required' } }, '{"a": 1}', 'no'],
    ['no call with none', schema, { toolChoice: { type: 'none' } }, berlin, 'no'],
    ['no call with none', schema, { toolChoice: { type: 'none' } }, '{"a": 1}', 'whole'],
    ['a raw completion', schema, { opening: undefined, tools: [] }, '{"a":1}', 'whole'],
    ['raw GBNF', { type: 'grammar', grammar: 'root ::= "yes" | "no" root' }, { tools: [] }, 'nono\nyes', 'no'],
    ['raw GBNF', { type: 'grammar', grammar: 'root ::= "yes" | "no" root' }, { tools: [] }, 'nonoyes', 'whole'],
    ['nothing before raw GBNF', { type: 'grammar', grammar: 'root ::= "yes" | "no"' }, { tools: [] }, '\nno', 'no'],
    ['nothing before raw GBNF', { type: 'grammar', grammar: 'root ::= "yes" | "no"' }, {}, ' yes', 'no'],
    ['nothing before a schema', schema, { tools: [] }, '\n{"a": 1}', 'no'],
    ['a line break before a call', schema, {}, `\n\n${berlin}`, 'whole'],
    [
      'raw GBNF after a thought',
      { type: 'grammar', grammar: 'root ::= [a-c]{2}' },
      { tools: [], opening: thinking },
      'x</think>\n\nab',
      'whole',
    ],
    [
      'raw GBNF after a thought, behind what the template writes there',
      { type: 'grammar', grammar: 'root ::= [a-c]{2}' },
      { tools: [], opening: thinking },
      'x</think>\n\n\nab',
      'no',
    ],
    [
      'raw GBNF that begins with blanks, after a thought',
      { type: 'grammar', grammar: 'root ::= "\n  yes" | " no"' },
      { tools: [], opening: thinking },
      'x</think>\n\n\n  yes',
      'whole',
    ],
    [
      'raw GBNF that begins with blanks, after a thought',
      { type: 'grammar', grammar: 'root ::= "\n  yes" | " no"' },
      { tools: [], opening: thinking },
      'x</think>\n\nyes',
      'no',
    ],
    [
      'a prefilled answer',
      schema,
      { tools: [], opening: { block: 'text', generationPrompt: '<|im_start|>assistant\n{"a', continues: true } },
      '": 1}',
      'whole',
    ],
    [
      'a prefilled answer',
      schema,
      { tools: [], opening: { block: 'text', generationPrompt: '<|im_start|>assistant\n{"a', continues: true } },
      '{"a": 1}',
      'no',
    ],
  ])('%s (%#)', (_, outputShape, part, text, expected) => {
    expect(verdict({ outputShape, ...part }, text)).toBe(expected);
  });
});

describe('families', () => {
  const coderCall = (city: string) =>
    `<tool_call>\n<function=get_weather>\n<parameter=city>\n${city}\n</parameter>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>`;
  const plainCases: [string, string, boolean][] = [
    ['qwen3-coder', coderCall('Berlin'), true],
    ['qwen3-coder', coderCall('a "b" <c>\n\n</param>'), true],
    ['qwen3-coder', coderCall('x\n</parameter>\ny'), false],
    [
      'qwen3-coder',
      '<tool_call>\n<function=get_weather>\n<parameter=days>\n3\n</parameter>\n</function>\n</tool_call>',
      false,
    ],
    [
      'qwen3-coder',
      '<tool_call>\n<function=get_weather>\n<parameter=city>\nx\n</parameter>\n<parameter=unit>\nC\n</parameter>\n</function>\n</tool_call>',
      true,
    ],
    [
      'qwen3-coder',
      '<tool_call>\n<function=get_weather>\n<parameter=city>\nx\n</parameter>\n<parameter=unit>\n"C"\n</parameter>\n</function>\n</tool_call>',
      false,
    ],
    ['mistral', '[TOOL_CALLS]get_weather[ARGS]{"city": "Berlin"}[TOOL_CALLS]get_time[ARGS]{}', true],
    ['mistral', '[TOOL_CALLS]get_weather[ARGS]{"city": 1}', false],
    ['mistral-nemo', '[TOOL_CALLS][{"name": "get_time", "arguments": {}, "id": "abc123DEF"}]', true],
    ['llama-3', '{"name": "get_weather", "parameters": {"city": "Berlin"}}', true],
    ['llama-3', '{"name": "get_weather"}', false],
    [
      'nemotron',
      '<TOOLCALL>[{"name": "get_time", "arguments": {}}, {"name": "get_time", "arguments": {}}]</TOOLCALL>',
      true,
    ],
    ['apertus', '<|tools_prefix|>[{"get_time": {}}]<|tools_suffix|>', true],
    [
      'kimi-k2',
      '<|tool_calls_section_begin|><|tool_call_begin|>functions.get_time:0<|tool_call_argument_begin|>{}<|tool_call_end|><|tool_calls_section_end|>',
      true,
    ],
    [
      'deepseek-v3.1',
      '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>get_time<｜tool▁sep｜>{}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
      true,
    ],
    [
      'deepseek-v3.2',
      '<｜DSML｜function_calls>\n<｜DSML｜invoke name="get_weather">\n<｜DSML｜parameter name="city" string="true">Berlin</｜DSML｜parameter>\n<｜DSML｜parameter name="days" string="false">3</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
      true,
    ],
    ['glm-4.7', '<tool_call>get_weather<arg_key>city</arg_key><arg_value>Berlin</arg_value></tool_call>', true],
    ['gemma-4', '<|tool_call>call:get_weather{city:<|"|>Berlin "x"<|"|>,days:3}<tool_call|>', true],
    ['lfm2', '<|tool_call_start|>[get_weather(city="Berlin", days=3), get_time()]<|tool_call_end|>', true],
    [
      'gpt-oss',
      '<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>commentary to=functions.get_weather <|constrain|>json<|message|>{"city": "Berlin"}',
      true,
    ],
    ['gpt-oss', '<|channel|>final<|message|>Hello', false],
    [
      'muse',
      ' to=self<|message|>Hm<|eom|><|start|>assistant to=get_time<|message|><atem:function_calls>\n<atem:invoke name="get_time">\n</atem:invoke>\n</atem:function_calls>',
      true,
    ],
    ['functionary-3.2', 'get_weather\n{"city": "Berlin"}', true],
    ['functionary-3.2', 'all\nHello', false],
    [
      'kimi-k3',
      '<|open|>tools<|sep|><|open|>call tool="get_weather" index="1"<|sep|><|open|>argument key="city" type="string"<|sep|>Berlin<|close|>argument<|sep|><|close|>call<|sep|><|close|>tools<|sep|>',
      true,
    ],
    [
      'cohere-moe',
      '<|START_ACTION|>[\n{"tool_call_id": "0", "tool_name": "get_time", "parameters": {}}\n]<|END_ACTION|>',
      true,
    ],
    [
      'minimax-m3',
      ']<]minimax[>[<tool_call>\n]<]minimax[>[<invoke name="get_time">]<]minimax[>[</invoke>\n]<]minimax[>[</tool_call>',
      true,
    ],
  ];
  it.each(plainCases)('%s: a required call is %j (%j)', (family, text, expected) => {
    const opening: PromptOpening = { block: 'text', generationPrompt: '' };
    expect(verdict({ family, toolChoice: { type: 'required' }, opening }, text) === 'whole').toBe(expected);
  });

  it.each(Object.keys(chatFormats))('%s: every choice has a grammar', (family) => {
    const format = chatFormats[family];
    const opening: PromptOpening = { block: 'text', generationPrompt: '' };
    if (!format?.toolCalls) return;
    const once = [{ type: 'required' } as const].map((toolChoice) => ({ toolChoice, parallelToolCalls: false }));
    for (const choice of [...Object.values(choices).map((toolChoice) => ({ toolChoice })), ...once]) {
      const plan = constrain(request({ family, opening, ...choice }));
      if (plan.grammar !== undefined) checkGrammar(plan.grammar);
      expect(plan.grammar !== undefined || choice.toolChoice.type === 'none').toBe(true);
    }
  });
});

describe('arguments as plain text', () => {
  const parameters = {
    type: 'object',
    properties: {
      note: { type: ['string', 'null'] },
      size: { anyOf: [{ type: 'integer' }, { enum: ['small', 'large'] }] },
      list: { type: 'array', items: { type: 'string' } },
      code: { type: 'string', pattern: '^[a-z]{2,4}$' },
      any: {},
    },
  };
  const write = (key: string, value: string) =>
    `<tool_call>\n<function=put>\n<parameter=${key}>\n${value}\n</parameter>\n</function>\n</tool_call>`;
  it.each<[string, string, boolean]>([
    ['note', 'some "text"\n\nmore', true],
    ['note', 'null', true],
    ['note', '3 apples', true],
    ['note', '77', false],
    ['note', ' true ', false],
    ['note', '{"a": 1}', false],
    ['size', '12', true],
    ['size', 'small', true],
    ['size', '"small"', false],
    ['size', 'medium', false],
    ['list', '["a", "b"]', true],
    ['list', 'a, b', false],
    ['code', 'abc', true],
    ['code', 'ABC', false],
    ['any', '77', true],
    ['any', 'text', true],
    ['other', 'text', false],
  ])('%s may be %j: %j', (key, value, expected) => {
    const part = { family: 'qwen3-coder', tools: [{ name: 'put', parameters, definition: {} }] };
    expect(verdict(part, write(key, value)) === 'whole').toBe(expected);
  });
});

describe('arguments as tags inside tags', () => {
  const parameters = {
    type: 'object',
    properties: {
      tree: { $ref: '#/$defs/node' },
      list: { type: 'array', items: { type: 'integer', minimum: 1 }, minItems: 1, maxItems: 2 },
      mixed: { anyOf: [{ type: 'string' }, { type: 'object', properties: { n: { type: 'integer' } } }] },
      map: { type: 'object', additionalProperties: { type: 'boolean' } },
      never: {
        anyOf: [
          { type: 'string', pattern: '^a$', maxLength: 0 },
          { type: 'array', items: { type: 'integer' } },
        ],
      },
      perhaps: { anyOf: [{ type: 'object', properties: { ok: { type: 'boolean' } } }, { type: 'null' }] },
    },
    $defs: {
      node: {
        type: 'object',
        properties: { name: { type: 'string' }, below: { type: 'array', items: { $ref: '#/$defs/node' } } },
        required: ['name'],
      },
    },
  };
  const part = { family: 'minimax-m3', tools: [{ name: 'put', parameters, definition: {} }] };
  const write = (inside: string) =>
    `@<tool_call>\n@<invoke name="put">${inside}@</invoke>\n@</tool_call>`.replaceAll('@', ']<]minimax[>[');
  it.each<[string, boolean]>([
    ['', true],
    ['@<list>@<item>5@</item>@</list>', true],
    ['@<list>@<item>0@</item>@</list>', false],
    ['@<list>@</list>', false],
    ['@<list>[5]@</list>', false],
    ['@<tree>@<name>a@</name>@</tree>', true],
    ['@<tree>@<name>a@</name>@<below>@<item>@<name>b@</name>@</item>@</below>@</tree>', true],
    ['@<tree>@<name>a@</name>@<below>@</below>@</tree>', true],
    ['@<tree>@<below>@</below>@</tree>', false],
    ['@<tree>{"name": "a"}@</tree>', false],
    ['@<mixed>some text@</mixed>', true],
    ['@<mixed>{"n": 1}@</mixed>', true],
    ['@<mixed>{"n": "x"}@</mixed>', false],
    ['@<mixed>@<n>1@</n>@</mixed>', false],
    ['@<map>{"a b": true}@</map>', true],
    ['@<map>{"a b": 1}@</map>', false],
    ['@<never>[]@</never>', true],
    ['@<never>[5]@</never>', true],
    ['@<never>@</never>', false],
    ['@<never>@<item>5@</item>@</never>', false],
    ['@<perhaps>null@</perhaps>', true],
    ['@<perhaps>@<ok>true@</ok>@</perhaps>', true],
    ['@<perhaps>@<ok>yes@</ok>@</perhaps>', false],
    ['@<other>1@</other>', false],
    ['@<list>@<item>5@</item>@</tree>', false],
  ])('%s: %j', (inside, expected) => {
    expect(verdict(part, write(inside)) === 'whole').toBe(expected);
  });
});

describe('calls without a marker', () => {
  const llama = (text: string) =>
    verdict({ family: 'llama-3', opening: { block: 'text', generationPrompt: '' } }, text);
  it.each<[string, 'whole' | 'open' | 'no']>([
    ['', 'whole'],
    ['Hello {"name": 1}', 'whole'],
    ['{"name": "get_time", "parameters": {}}', 'whole'],
    ['{"a": 1}', 'no'],
    [' {"a": 1}', 'no'],
    ['{', 'open'],
    ['<|python_tag|>get_weather.call(city=1)', 'no'],
  ])('%j is %s', (text, expected) => {
    expect(llama(text)).toBe(expected);
  });
});

describe('strange schemas', () => {
  it('are never in the way of an answer that is there', () => {
    const dangling: Tool = {
      name: 'odd',
      parameters: { type: 'object', properties: { a: { $ref: '#/$defs/x' } }, required: ['b'] },
      definition: {},
    };
    const plan = constrain(request({ tools: [dangling], toolChoice: { type: 'required' } }));
    const call = { kind: 'tool-call', id: '1', name: 'odd' } as const;
    expect(checkAnswer(plan, [{ ...call, arguments: '{"a": 1, "b": 2}' }])).toEqual([]);
    expect(checkAnswer(plan, [{ ...call, arguments: '{"a": 1}' }])).toEqual([
      'The arguments of odd do not fit the schema: required at /.',
    ]);
  });

  it('cost their tool the constraint and never the request', () => {
    const strange: Tool = {
      name: 'odd',
      parameters: { type: 'object', properties: { a: { $ref: 'https://x.org/y' } } },
      definition: {},
    };
    const plan = constrain(request({ tools: [strange, weather], toolChoice: { type: 'required' } }));
    expect(plan.loosened).toEqual([
      { tool: 'odd', path: '#', keyword: 'schema', reason: expect.stringContaining('refers to another document') },
    ]);
    expect(plan.checks.tools.get('odd')).toEqual(strange.parameters);
    expect(verdict({ tools: [strange, weather] }, call('odd', '{"a": [1]}'))).toBe('whole');
    expect(verdict({ tools: [strange, weather] }, call('get_weather', '{"a": [1]}'))).toBe('no');
  });
});
