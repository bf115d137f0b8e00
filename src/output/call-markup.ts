import type {
  DictCalls,
  JsonCalls,
  NamedJsonCalls,
  NamespacedCalls,
  PythonCalls,
  TaggedCalls,
} from '../contract/chat-format.ts';

/** How the families write their calls: literal text, as the models were trained on it. */

const json = {
  syntax: 'json',
  open: '',
  close: '',
  separator: ', ',
  parallel: true,
  array: true,
  keys: { name: 'name', arguments: 'arguments' },
} as const satisfies JsonCalls;

export const hermesCalls: JsonCalls = {
  ...json,
  array: false,
  open: '<tool_call>\n',
  close: '\n</tool_call>',
  separator: '\n',
};

/** No markers: the answer begins with the object. One call. */
export const llamaCalls: JsonCalls = {
  ...json,
  array: false,
  parallel: false,
  keys: { name: 'name', arguments: 'parameters' },
  pythonTag: '<|python_tag|>',
};

export const nemotronCalls: JsonCalls = { ...json, section: { open: '<TOOLCALL>[', close: ']</TOOLCALL>' } };

export const aprielCalls: JsonCalls = { ...json, section: { open: '<tool_calls>[', close: ']</tool_calls>' } };

export const apertusCalls: JsonCalls = {
  ...json,
  section: { open: '<|tools_prefix|>[', close: ']<|tools_suffix|>' },
  nameIsKey: true,
};

export const gigachat3Calls: JsonCalls = {
  ...json,
  array: false,
  parallel: false,
  open: '<|message_sep|>\n\nfunction call<|role_sep|>\n',
};

export const gigachat31Calls: JsonCalls = { ...json, array: false, parallel: false, open: '<|function_call|>' };

export const minimax1Calls: JsonCalls = {
  ...json,
  array: false,
  section: { open: '<tool_calls>\n', close: '\n</tool_calls>' },
  separator: '\n',
};

export const firefunctionCalls: JsonCalls = { ...json, section: { open: ' functools[', close: ']' } };

export const graniteCalls: JsonCalls = { ...json, section: { open: '<|tool_call|>[', close: ']' } };

export const phi4Calls: JsonCalls = { ...json, section: { open: '<|tool_call|>[', close: ']<|/tool_call|>' } };

export const internlmCalls: JsonCalls = {
  ...json,
  array: false,
  parallel: false,
  open: '<|action_start|><|plugin|>\n',
  close: '<|action_end|>',
  keys: { name: 'name', arguments: 'parameters' },
};

export const mistralNemoCalls: JsonCalls = {
  ...json,
  section: { open: '[TOOL_CALLS][', close: ']' },
  keys: { ...json.keys, id: 'id' },
};

const cohereKeys = { name: 'tool_name', arguments: 'parameters', id: 'tool_call_id' };

export const cohereCalls: JsonCalls = {
  ...json,
  section: { open: '<|START_ACTION|>[\n', close: '\n]<|END_ACTION|>' },
  separator: ',\n',
  keys: cohereKeys,
};

export const commandPlusCalls: JsonCalls = {
  ...json,
  section: { open: 'Action:\n```json\n[', close: ']\n```' },
  separator: ',\n',
  keys: { name: 'tool_name', arguments: 'parameters' },
};

export const functionary31Calls: NamedJsonCalls = {
  syntax: 'named-json',
  open: '<function=',
  nameEnd: '>',
  close: '</function>',
  separator: '',
  parallel: true,
};

export const mistralCalls: NamedJsonCalls = {
  syntax: 'named-json',
  open: '[TOOL_CALLS]',
  nameEnd: '[ARGS]',
  close: '',
  separator: '',
  parallel: true,
};

export const mistralSmallCalls: NamedJsonCalls = { ...mistralCalls, idOpen: '[CALL_ID]' };

export const kimi2Calls: NamedJsonCalls = {
  syntax: 'named-json',
  section: { open: '<|tool_calls_section_begin|>', close: '<|tool_calls_section_end|>' },
  open: '<|tool_call_begin|>',
  nameEnd: '<|tool_call_argument_begin|>',
  close: '<|tool_call_end|>',
  separator: '',
  parallel: true,
  indexedName: true,
};

const deepseekKind = 'function<｜tool▁sep｜>';

export const deepseek31Calls: NamedJsonCalls = {
  syntax: 'named-json',
  section: { open: '<｜tool▁calls▁begin｜>', close: '<｜tool▁calls▁end｜>' },
  open: '<｜tool▁call▁begin｜>',
  nameEnd: '<｜tool▁sep｜>',
  close: '<｜tool▁call▁end｜>',
  separator: '',
  parallel: true,
  kindOpen: deepseekKind,
};

export const deepseek1Calls: NamedJsonCalls = {
  ...deepseek31Calls,
  open: `<｜tool▁call▁begin｜>${deepseekKind}`,
  nameEnd: '\n```json\n',
  close: '\n```<｜tool▁call▁end｜>',
  separator: '\n',
};

export const solarCalls: NamedJsonCalls = {
  syntax: 'named-json',
  section: { open: '<|tool_calls|>', close: '<|calls|>' },
  open: '<|tool_call:begin|>',
  idEnd: '<|tool_call:name|>',
  nameEnd: '<|tool_call:args|>',
  close: '<|tool_call:end|>',
  separator: '',
  parallel: true,
};

export const qwenCoderCalls: TaggedCalls = {
  syntax: 'tagged',
  open: '<tool_call>\n<function=',
  nameEnd: '>\n',
  parameter: { open: '<parameter=', keyEnd: '>\n', close: '\n</parameter>\n', separator: '' },
  close: '</function>\n</tool_call>',
  separator: '\n',
  parallel: true,
};

export const seedCalls: TaggedCalls = {
  syntax: 'tagged',
  open: '<seed:tool_call>\n<function=',
  nameEnd: '>\n',
  parameter: { open: '<parameter=', keyEnd: '>', close: '</parameter>\n', separator: '' },
  close: '</function>\n</seed:tool_call>',
  separator: '\n',
  parallel: true,
};

export const minimax2Calls: TaggedCalls = {
  syntax: 'tagged',
  section: { open: '<minimax:tool_call>\n', close: '</minimax:tool_call>' },
  open: '<invoke name="',
  nameEnd: '">\n',
  parameter: { open: '<parameter name="', keyEnd: '">', close: '</parameter>\n', separator: '' },
  close: '</invoke>\n',
  separator: '',
  parallel: true,
};

export const minicpmCalls: TaggedCalls = {
  syntax: 'tagged',
  open: '<function name="',
  nameEnd: '">',
  parameter: { open: '<param name="', keyEnd: '">', close: '</param>', separator: '', cdata: true },
  close: '</function>',
  separator: '\n',
  parallel: true,
};

/** GLM 4.7, Spark 2.5, Laguna S: no whitespace between the tags. */
export const glmCalls: TaggedCalls = {
  syntax: 'tagged',
  open: '<tool_call>',
  nameEnd: '',
  parameter: { open: '<arg_key>', keyEnd: '</arg_key><arg_value>', close: '</arg_value>', separator: '' },
  close: '</tool_call>',
  separator: '',
  parallel: true,
};

/** GLM 4.6, Laguna XS, Ling 3.0: every tag on its own line. */
export const glmLineCalls: TaggedCalls = {
  ...glmCalls,
  nameEnd: '\n',
  parameter: { open: '<arg_key>', keyEnd: '</arg_key>\n<arg_value>', close: '</arg_value>\n', separator: '' },
  separator: '\n',
};

export const hunyuanCalls: TaggedCalls = {
  syntax: 'tagged',
  section: { open: '<tool_calls:opensource>\n', close: '\n</tool_calls:opensource>' },
  open: '<tool_call:opensource>',
  nameEnd: '<tool_sep:opensource>\n',
  parameter: {
    open: '<arg_key:opensource>',
    keyEnd: '</arg_key:opensource>\n<arg_value:opensource>',
    close: '</arg_value:opensource>\n',
    separator: '',
  },
  close: '</tool_call:opensource>',
  separator: '\n',
  parallel: true,
};

/** DeepSeek's own markup; `section` is what V3.2 and V4 call the block around the calls. */
export function dsmlCalls(section: 'function_calls' | 'tool_calls'): TaggedCalls {
  return {
    syntax: 'tagged',
    section: { open: `<｜DSML｜${section}>\n`, close: `\n</｜DSML｜${section}>` },
    open: '<｜DSML｜invoke name="',
    nameEnd: '">\n',
    parameter: {
      open: '<｜DSML｜parameter name="',
      keyEnd: '">',
      close: '</｜DSML｜parameter>\n',
      separator: '',
      attribute: 'string',
    },
    close: '</｜DSML｜invoke>',
    separator: '\n',
    parallel: true,
  };
}

export const museCalls: TaggedCalls = {
  syntax: 'tagged',
  section: { open: '<atem:function_calls>\n', close: '\n</atem:function_calls>' },
  open: '<atem:invoke name="',
  nameEnd: '">\n',
  parameter: { open: '<atem:parameter name="', keyEnd: '">', close: '</atem:parameter>\n', separator: '' },
  close: '</atem:invoke>',
  separator: '\n',
  parallel: true,
};

export const kimi3Calls = {
  syntax: 'tagged',
  section: { open: '<|open|>tools<|sep|>', close: '<|close|>tools<|sep|>' },
  open: '<|open|>call tool="',
  nameEnd: '"<|sep|>',
  numbered: true,
  parameter: {
    open: '<|open|>argument key="',
    keyEnd: '"<|sep|>',
    close: '<|close|>argument<|sep|>',
    separator: '',
    attribute: 'type',
  },
  close: '<|close|>call<|sep|>',
  separator: '',
  parallel: true,
} as const satisfies TaggedCalls;

export const gemma4Calls: DictCalls = {
  syntax: 'dict',
  open: '<|tool_call>call:',
  close: '<tool_call|>',
  separator: '',
  parallel: true,
  quote: '<|"|>',
};

export const functionGemmaCalls: DictCalls = {
  ...gemma4Calls,
  open: '<start_function_call>call:',
  close: '<end_function_call>',
  quote: '<escape>',
};

export const lfm2Calls: PythonCalls = {
  syntax: 'python',
  open: '<|tool_call_start|>[',
  close: ']<|tool_call_end|>',
  separator: ', ',
  parallel: true,
};

export const olmoCalls: PythonCalls = {
  syntax: 'python',
  open: '<function_calls>',
  close: '</function_calls>',
  separator: '\n',
  parallel: true,
};

const minimaxNamespace = ']<]minimax[>[';

export const minimax3Calls: NamespacedCalls = {
  syntax: 'namespaced',
  namespace: minimaxNamespace,
  section: { open: `${minimaxNamespace}<tool_call>\n`, close: `\n${minimaxNamespace}</tool_call>` },
  open: `${minimaxNamespace}<invoke name="`,
  close: `${minimaxNamespace}</invoke>`,
  separator: '\n',
  parallel: true,
};
