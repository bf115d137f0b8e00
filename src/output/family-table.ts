import type { ChatFormat, ReasoningMarkers, ToolCallFormat } from '../contract/chat-format.ts';
import * as calls from './call-formats.ts';

/** One family: how it is recognised by its template, and how it writes. */
export interface Family {
  readonly name: string;
  /** The template contains all of these and none of `not`. */
  readonly all: readonly string[];
  readonly not?: readonly string[];
  /** For templates that no other row fits: their turns may tell more. */
  readonly generic?: boolean;
  readonly layout?: ChatFormat['layout'];
  /** Dropped for templates that contain neither marker. */
  readonly reasoning?: ReasoningMarkers;
  readonly toolCalls?: ToolCallFormat;
  readonly text?: ChatFormat['text'];
  readonly hidden?: readonly string[];
  readonly stopStrings?: readonly string[];
  /** Control tokens that the machines need besides those that stand in the markers. */
  readonly visible?: readonly string[];
}

const think: ReasoningMarkers = { open: '<think>\n', close: '</think>' };
const bareThink: ReasoningMarkers = { open: '<think>', close: '</think>' };

function endedBy(...alsoEndedBy: string[]): ReasoningMarkers {
  return { ...think, alsoEndedBy };
}

/** First match wins, so the special ones come before those whose markers they share. */
export const families: readonly Family[] = [
  {
    name: 'mistral-small',
    all: ['[TOOL_CALLS]', '[ARGS]', '[CALL_ID]'],
    reasoning: { open: '[THINK]', close: '[/THINK]', opensAnywhere: true },
    toolCalls: calls.mistralSmallCalls,
  },
  {
    name: 'mistral',
    all: ['[TOOL_CALLS]', '[ARGS]'],
    reasoning: { open: '[THINK]', close: '[/THINK]', opensAnywhere: true },
    toolCalls: calls.mistralCalls,
  },
  {
    name: 'gpt-oss',
    all: ['<|channel|>'],
    layout: 'harmony',
    reasoning: {
      open: '<|channel|>analysis<|message|>',
      close: '<|end|>',
      forcedClose: '<|end|><|start|>assistant<|channel|>final<|message|>',
    },
    toolCalls: { syntax: 'addressed', parallel: false },
    visible: ['<|constrain|>', '<|call|>', '<|return|>'],
  },
  {
    name: 'muse',
    all: ['<atem:function_calls>', '<|eom|>'],
    layout: 'muse',
    reasoning: {
      open: ' to=self<|message|>',
      close: '<|eom|>',
      forcedClose: '<|eom|><|start|>assistant to=user<|message|>',
    },
    toolCalls: calls.museCalls,
    visible: ['<|start|>', '<|eot|>'],
  },
  {
    name: 'functionary-3.2',
    all: ['>>>all', '>>>'],
    layout: 'functionary',
    toolCalls: { syntax: 'addressed', parallel: true },
  },
  {
    name: 'kimi-k2',
    all: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
    reasoning: endedBy('<|tool_calls_section_begin|>', '<|tool_call_begin|>'),
    toolCalls: calls.kimi2Calls,
  },
  {
    name: 'kimi-k3',
    all: ['<|open|>', '<|close|>', '<|end_of_msg|>'],
    reasoning: {
      open: '<|open|>think<|sep|>',
      close: '<|close|>think<|sep|>',
      alsoEndedBy: ['<|open|>response<|sep|>', '<|open|>tools<|sep|>'],
      opensAnywhere: true,
    },
    toolCalls: calls.kimi3Calls,
    text: { open: '<|open|>response<|sep|>', close: '<|close|>response<|sep|>' },
    hidden: ['<|close|>message<|sep|>', '<|end_of_msg|>'],
  },
  {
    name: 'ling-3',
    all: ['<role>ASSISTANT</role>', '<arg_key>'],
    reasoning: endedBy('<tool_call>'),
    toolCalls: calls.glmLineCalls,
    stopStrings: ['<|role_end|>'],
  },
  {
    name: 'cohere-moe',
    all: ['<|START_TEXT|>', '<|START_ACTION|>'],
    reasoning: { open: '<|START_THINKING|>', close: '<|END_THINKING|>', opensAnywhere: true },
    toolCalls: calls.cohereCalls,
    text: { open: '<|START_TEXT|>', close: '<|END_TEXT|>' },
  },
  {
    name: 'command-r7b',
    all: ['<|START_RESPONSE|>', '<|START_ACTION|>'],
    reasoning: { open: '<|START_THINKING|>', close: '<|END_THINKING|>', opensAnywhere: true },
    toolCalls: calls.cohereCalls,
    text: { open: '<|START_RESPONSE|>', close: '<|END_RESPONSE|>' },
  },
  { name: 'command-r-plus', all: ['<|CHATBOT_TOKEN|>', 'Action:', '```json'], toolCalls: calls.commandPlusCalls },
  { name: 'lfm2', all: ['<|tool_list_start|>', '<|tool_list_end|>'], reasoning: bareThink, toolCalls: calls.lfm2Calls },
  { name: 'lfm2.5', all: ['List of tools: ['], reasoning: bareThink, toolCalls: calls.lfm2Calls },
  {
    name: 'gigachat-3.1',
    all: ['<|role_sep|>', '<|message_sep|>', '<|function_call|>'],
    toolCalls: calls.gigachat31Calls,
  },
  {
    name: 'gigachat-3',
    all: ['<|role_sep|>', '<|message_sep|>'],
    toolCalls: calls.gigachat3Calls,
  },
  {
    name: 'minimax-m3',
    all: [']<]minimax[>[', '<tool_call>', '<invoke name='],
    reasoning: { open: '<mm:think>', close: '</mm:think>' },
    toolCalls: calls.minimax3Calls,
    visible: [']<]minimax[>['],
  },
  {
    name: 'deepseek-v4',
    all: ['dsml_token', 'DSML', "dsml_token + 'tool_calls"],
    reasoning: endedBy('<｜DSML｜tool_calls>'),
    toolCalls: calls.dsmlCalls('tool_calls'),
    visible: ['｜DSML｜'],
  },
  {
    name: 'deepseek-v3.2',
    all: ['dsml_token', 'DSML'],
    reasoning: endedBy('<｜DSML｜function_calls>'),
    toolCalls: calls.dsmlCalls('function_calls'),
    visible: ['｜DSML｜'],
  },
  {
    name: 'gemma-4',
    all: ["'<|tool_call>call:'"],
    reasoning: { open: '<|channel>thought\n', close: '<channel|>', opensAnywhere: true },
    toolCalls: calls.gemma4Calls,
    hidden: ['<|channel>', '<channel|>'],
    visible: ['<|"|>', '<|channel>', '<|tool_call>'],
  },
  {
    name: 'function-gemma',
    all: ['<start_function_call>'],
    toolCalls: calls.functionGemmaCalls,
    visible: ['<escape>'],
  },
  {
    name: 'minicpm5',
    all: ['Tool usage guidelines:', '<function name="', '<param name="'],
    reasoning: think,
    toolCalls: calls.minicpmCalls,
  },
  {
    name: 'qwen3-coder',
    all: ['<tool_call>', '<function=', '<parameter='],
    reasoning: endedBy('<tool_call>'),
    toolCalls: calls.qwenCoderCalls,
  },
  {
    name: 'seed-oss',
    all: ['<seed:tool_call>'],
    reasoning: { open: '<seed:think>', close: '</seed:think>' },
    toolCalls: calls.seedCalls,
  },
  { name: 'minimax-m2', all: ['<minimax:tool_call>'], reasoning: think, toolCalls: calls.minimax2Calls },
  {
    name: 'hunyuan-3',
    all: ['<tool_sep', 'hy_Assistant'],
    reasoning: { open: '<think:opensource>', close: '</think:opensource>' },
    toolCalls: calls.hunyuanCalls,
  },
  {
    name: 'glm-4.6',
    all: ['<arg_key>', '<tool_call>{function-name}\n<arg_key>'],
    reasoning: think,
    toolCalls: calls.glmLineCalls,
  },
  {
    name: 'laguna-xs',
    all: ['<arg_key>', '</assistant>', '"</arg_key>\\n"'],
    reasoning: think,
    toolCalls: calls.glmLineCalls,
    stopStrings: ['</assistant>'],
  },
  {
    name: 'laguna',
    all: ['<arg_key>', '</assistant>'],
    reasoning: think,
    toolCalls: calls.glmCalls,
    stopStrings: ['</assistant>'],
  },
  { name: 'glm-4.7', all: ['<arg_key>'], reasoning: think, toolCalls: calls.glmCalls },
  { name: 'minimax-m1', all: ['<tool_calls>', '<beginning_of_sentence>'], toolCalls: calls.minimax1Calls },
  {
    name: 'apriel',
    all: ['<tool_calls>'],
    reasoning: {
      open: 'Here are my reasoning steps:\n',
      close: '[BEGIN FINAL RESPONSE]',
      forcedClose: '\n[BEGIN FINAL RESPONSE]\n',
    },
    toolCalls: calls.aprielCalls,
    hidden: ['[END FINAL RESPONSE]'],
  },
  { name: 'nemotron', all: ['<TOOLCALL>'], reasoning: think, toolCalls: calls.nemotronCalls },
  {
    name: 'apertus',
    all: ['<|tools_prefix|>'],
    reasoning: {
      open: '<|inner_prefix|>',
      close: '<|inner_suffix|>',
      alsoEndedBy: ['<|tools_prefix|>'],
      opensAnywhere: true,
      onlyWhenAsked: true,
    },
    toolCalls: calls.apertusCalls,
  },
  { name: 'mistral-nemo', all: ['[TOOL_CALLS]'], reasoning: think, toolCalls: calls.mistralNemoCalls },
  { name: 'phi-4', all: ['<|tool_call|>', '<|/tool_call|>'], reasoning: think, toolCalls: calls.phi4Calls },
  { name: 'internlm', all: ['<|plugin|>', '<|action_start|>'], reasoning: think, toolCalls: calls.internlmCalls },
  { name: 'olmo-3', all: ['<function_calls>', '<functions>'], reasoning: think, toolCalls: calls.olmoCalls },
  { name: 'firefunction', all: ['functools['], toolCalls: calls.firefunctionCalls },
  { name: 'functionary-3.1', all: ['<function=', '</function>'], toolCalls: calls.functionary31Calls },
  {
    name: 'deepseek-r1',
    all: ['<｜tool▁calls▁begin｜>', '```json'],
    reasoning: think,
    toolCalls: calls.deepseek1Calls,
  },
  { name: 'deepseek-v3.1', all: ['<｜tool▁calls▁begin｜>'], reasoning: think, toolCalls: calls.deepseek31Calls },
  {
    name: 'solar',
    all: ['<|tool_call:begin|>'],
    reasoning: { open: '<|think|>', close: '<|end|>', opensAnywhere: true },
    toolCalls: calls.solarCalls,
    text: { open: '<|content|>', close: '<|end|>' },
    hidden: ['<|begin|>assistant', '<|flush|>'],
    visible: ['<|begin|>'],
  },
  { name: 'hermes', all: ['<tool_call>'], reasoning: think, toolCalls: calls.hermesCalls },
  {
    name: 'llama-3',
    all: ['<|start_header_id|>', '"parameters"'],
    toolCalls: calls.llamaCalls,
  },
  { name: 'llama-4', all: ['<|header_start|>', '"parameters"'], toolCalls: calls.llamaCalls },
  {
    name: 'granite-3.3',
    all: ['<|start_of_role|>', '<response>', '<think>'],
    reasoning: { open: '<think>', close: '</think>', onlyWhenAsked: true },
    toolCalls: calls.graniteCalls,
    text: { open: '<response>', close: '</response>' },
  },
  { name: 'granite-3', all: ['<|start_of_role|>', '<|tool_call|>'], reasoning: think, toolCalls: calls.graniteCalls },
  // Templates without tools: these are described in the system text, and the model is asked to write Hermes calls.
  { name: 'think', all: ['<think>'], reasoning: think, toolCalls: calls.hermesCalls, generic: true },
  { name: 'plain', all: [], toolCalls: calls.hermesCalls, generic: true },
];
