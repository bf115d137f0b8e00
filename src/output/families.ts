import {
  type ChatFormat,
  type MessageLayout,
  nextMessage,
  type ReasoningMarkers,
  type ToolCallFormat,
} from '../contract/chat-format.ts';
import * as calls from './call-markup.ts';
import { functionary, harmony, muse } from './layouts.ts';

/** One family: how it is recognised by its template, and how it writes. */
export interface Family {
  readonly name: string;
  /** Where its markup was read: templates, or who else tells how the models were trained. Repositories with a revision. */
  readonly source: readonly string[];
  /** The template contains all of these. */
  readonly all: readonly string[];
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
const mistralThink: ReasoningMarkers = { open: '[THINK]', close: '[/THINK]', opensAnywhere: true };
const cohereThink: ReasoningMarkers = { open: '<|START_THINKING|>', close: '<|END_THINKING|>', opensAnywhere: true };

/** Chat templates of models, as llama.cpp keeps them for its tests. */
function templates(...names: string[]): string[] {
  return names.map((name) => `ggml-org/llama.cpp de3ff81 models/templates/${name}.jinja`);
}

/** A thought that a call may end. */
function endedBy(call: ToolCallFormat): ReasoningMarkers {
  return { ...think, alsoEndedBy: openingTags(call) };
}

/** The tag that begins calls, and the one that begins each of them. */
function openingTags(call: ToolCallFormat): string[] {
  if (call.syntax === 'addressed') return [];
  return [call.section?.open ?? '', call.open].flatMap((text) => /^<[^<>\s]+>/.exec(text) ?? []);
}

/** Thoughts that are messages of their own. */
function messageThoughts(layout: MessageLayout): ReasoningMarkers {
  const { heads, ends } = layout;
  return { open: heads.thought, close: ends[0], forcedClose: nextMessage(layout) + heads.text };
}

const kimi3Response = { open: '<|open|>response<|sep|>', close: '<|close|>response<|sep|>' };

/** First match wins, so the special ones come before those whose markers they share. */
export const families: readonly Family[] = [
  {
    name: 'mistral-small',
    source: templates('Mistral-Small-3.2-24B-Instruct-2506'),
    all: ['[TOOL_CALLS]', '[ARGS]', '[CALL_ID]'],
    reasoning: mistralThink,
    toolCalls: calls.mistralSmallCalls,
  },
  {
    name: 'mistral',
    source: templates('mistralai-Ministral-3-14B-Reasoning-2512', 'unsloth-mistral-Devstral-Small-2507'),
    all: ['[TOOL_CALLS]', '[ARGS]'],
    reasoning: mistralThink,
    toolCalls: calls.mistralCalls,
  },
  {
    name: 'gpt-oss',
    source: templates('openai-gpt-oss-120b'),
    all: ['<|channel|>'],
    layout: harmony,
    reasoning: messageThoughts(harmony),
    toolCalls: { syntax: 'addressed', parallel: false },
  },
  {
    name: 'muse',
    source: templates('muse-glimmer'),
    all: ['<atem:function_calls>', '<|eom|>'],
    layout: muse,
    reasoning: messageThoughts(muse),
    toolCalls: calls.museCalls,
  },
  {
    name: 'functionary-3.2',
    source: templates('meetkai-functionary-medium-v3.2'),
    all: ['>>>all', '>>>'],
    layout: functionary,
    toolCalls: { syntax: 'addressed', parallel: true },
  },
  {
    name: 'kimi-k2',
    source: templates('Kimi-K2-Instruct', 'Kimi-K2-Thinking', 'moonshotai-Kimi-K2'),
    all: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
    reasoning: endedBy(calls.kimi2Calls),
    toolCalls: calls.kimi2Calls,
  },
  {
    name: 'kimi-k3',
    source: templates('Kimi-K3'),
    all: ['<|open|>', '<|close|>', '<|end_of_msg|>'],
    reasoning: {
      open: '<|open|>think<|sep|>',
      close: '<|close|>think<|sep|>',
      alsoEndedBy: [kimi3Response.open, calls.kimi3Calls.section.open],
      opensAnywhere: true,
    },
    toolCalls: calls.kimi3Calls,
    text: kimi3Response,
    hidden: ['<|close|>message<|sep|>', '<|end_of_msg|>'],
  },
  {
    name: 'ling-3',
    source: templates('inclusionai-ling-3.0-flash'),
    all: ['<role>ASSISTANT</role>', '<arg_key>'],
    reasoning: endedBy(calls.glmLineCalls),
    toolCalls: calls.glmLineCalls,
    stopStrings: ['<|role_end|>'],
  },
  {
    name: 'cohere-moe',
    source: templates('Cohere2MoE'),
    all: ['<|START_TEXT|>', '<|START_ACTION|>'],
    reasoning: cohereThink,
    toolCalls: calls.cohereCalls,
    text: { open: '<|START_TEXT|>', close: '<|END_TEXT|>' },
  },
  {
    name: 'command-r7b',
    source: templates('CohereForAI-c4ai-command-r7b-12-2024-tool_use'),
    all: ['<|START_RESPONSE|>', '<|START_ACTION|>'],
    reasoning: cohereThink,
    toolCalls: calls.cohereCalls,
    text: { open: '<|START_RESPONSE|>', close: '<|END_RESPONSE|>' },
  },
  {
    name: 'command-r-plus',
    source: templates('CohereForAI-c4ai-command-r-plus-tool_use'),
    all: ['<|CHATBOT_TOKEN|>', 'Action:', '```json'],
    toolCalls: calls.commandPlusCalls,
  },
  {
    name: 'lfm2',
    source: templates('LFM2-8B-A1B'),
    all: ['<|tool_list_start|>', '<|tool_list_end|>'],
    reasoning: bareThink,
    toolCalls: calls.lfm2Calls,
  },
  {
    name: 'lfm2.5',
    source: templates('LFM2.5-8B-A1B', 'LFM2.5-Instruct'),
    all: ['List of tools: ['],
    reasoning: bareThink,
    toolCalls: calls.lfm2Calls,
  },
  {
    name: 'gigachat-3.1',
    source: templates('GigaChat3.1-10B-A1.8B'),
    all: ['<|role_sep|>', '<|message_sep|>', '<|function_call|>'],
    toolCalls: calls.gigachat31Calls,
  },
  {
    name: 'gigachat-3',
    source: templates('GigaChat3-10B-A1.8B'),
    all: ['<|role_sep|>', '<|message_sep|>'],
    toolCalls: calls.gigachat3Calls,
  },
  {
    name: 'minimax-m3',
    source: templates('MiniMax-M3'),
    all: [']<]minimax[>[', '<tool_call>', '<invoke name='],
    reasoning: { open: '<mm:think>', close: '</mm:think>' },
    toolCalls: calls.minimax3Calls,
    visible: [calls.minimax3Calls.namespace],
  },
  {
    name: 'deepseek-v4',
    source: templates('deepseek-ai-DeepSeek-V4', 'deepseek-ai-DeepSeek-V4-Flash-0731'),
    all: ['dsml_token', 'DSML', "dsml_token + 'tool_calls"],
    reasoning: endedBy(calls.dsmlCalls('tool_calls')),
    toolCalls: calls.dsmlCalls('tool_calls'),
    visible: ['｜DSML｜'],
  },
  {
    name: 'deepseek-v3.2',
    source: templates('deepseek-ai-DeepSeek-V3.2'),
    all: ['dsml_token', 'DSML'],
    reasoning: endedBy(calls.dsmlCalls('function_calls')),
    toolCalls: calls.dsmlCalls('function_calls'),
    visible: ['｜DSML｜'],
  },
  {
    name: 'gemma-4',
    source: templates('google-gemma-4-31B-it', 'google-gemma-4-31B-it-interleaved'),
    all: ["'<|tool_call>call:'"],
    reasoning: { open: '<|channel>thought\n', close: '<channel|>', opensAnywhere: true },
    toolCalls: calls.gemma4Calls,
    hidden: ['<|channel>', '<channel|>'],
  },
  {
    name: 'function-gemma',
    source: ['https://ai.google.dev/gemma/docs/functiongemma/formatting-and-best-practices'],
    all: ['<start_function_call>'],
    toolCalls: calls.functionGemmaCalls,
  },
  {
    name: 'minicpm5',
    source: templates('openbmb-MiniCPM5-1B'),
    all: ['Tool usage guidelines:', '<function name="', '<param name="'],
    reasoning: think,
    toolCalls: calls.minicpmCalls,
  },
  {
    name: 'qwen3-coder',
    source: templates('NVIDIA-Nemotron-3-Nano-30B-A3B-BF16', 'Qwen3-Coder', 'Qwen3.5-4B', 'StepFun3.5-Flash'),
    all: ['<tool_call>', '<function=', '<parameter='],
    reasoning: endedBy(calls.qwenCoderCalls),
    toolCalls: calls.qwenCoderCalls,
  },
  {
    name: 'seed-oss',
    source: templates('ByteDance-Seed-OSS'),
    all: ['<seed:tool_call>'],
    reasoning: { open: '<seed:think>', close: '</seed:think>' },
    toolCalls: calls.seedCalls,
  },
  {
    name: 'minimax-m2',
    source: templates('MiniMax-M2'),
    all: ['<minimax:tool_call>'],
    reasoning: think,
    toolCalls: calls.minimax2Calls,
  },
  {
    name: 'hunyuan-3',
    source: templates('tencent-Hy3'),
    all: ['<tool_sep', 'hy_Assistant'],
    reasoning: { open: '<think:opensource>', close: '</think:opensource>' },
    toolCalls: calls.hunyuanCalls,
  },
  {
    name: 'glm-4.6',
    source: templates('GLM-4.6'),
    all: ['<arg_key>', '<tool_call>{function-name}\n<arg_key>'],
    reasoning: think,
    toolCalls: calls.glmLineCalls,
  },
  {
    name: 'laguna-xs',
    source: templates('poolside-Laguna-XS-2.1', 'poolside-Laguna-XS.2'),
    all: ['<arg_key>', '</assistant>', '"</arg_key>\\n"'],
    reasoning: think,
    toolCalls: calls.glmLineCalls,
    stopStrings: ['</assistant>'],
  },
  {
    name: 'laguna',
    source: templates('poolside-Laguna-S-2.1'),
    all: ['<arg_key>', '</assistant>'],
    reasoning: think,
    toolCalls: calls.glmCalls,
    stopStrings: ['</assistant>'],
  },
  {
    name: 'glm-4.7',
    source: templates('GLM-4.7-Flash', 'Spark2.5'),
    all: ['<arg_key>'],
    reasoning: think,
    toolCalls: calls.glmCalls,
  },
  {
    name: 'minimax-m1',
    source: templates('MiniMax-M1'),
    all: ['<tool_calls>', '<beginning_of_sentence>'],
    toolCalls: calls.minimax1Calls,
  },
  {
    name: 'apriel',
    source: templates('Apriel-1.6-15b-Thinker-fixed', 'unsloth-Apriel-1.5'),
    all: ['<tool_calls>'],
    reasoning: {
      open: 'Here are my reasoning steps:\n',
      close: '[BEGIN FINAL RESPONSE]',
      forcedClose: '\n[BEGIN FINAL RESPONSE]\n',
    },
    toolCalls: calls.aprielCalls,
    hidden: ['[END FINAL RESPONSE]'],
  },
  {
    name: 'nemotron',
    source: templates('NVIDIA-Nemotron-Nano-v2'),
    all: ['<TOOLCALL>'],
    reasoning: think,
    toolCalls: calls.nemotronCalls,
  },
  {
    name: 'apertus',
    source: templates('Apertus-8B-Instruct'),
    all: ['<|tools_prefix|>'],
    reasoning: {
      open: '<|inner_prefix|>',
      close: '<|inner_suffix|>',
      alsoEndedBy: openingTags(calls.apertusCalls),
      opensAnywhere: true,
      onlyWhenAsked: true,
    },
    toolCalls: calls.apertusCalls,
  },
  {
    name: 'mistral-nemo',
    source: templates('mistralai-Mistral-Nemo-Instruct-2407'),
    all: ['[TOOL_CALLS]'],
    reasoning: think,
    toolCalls: calls.mistralNemoCalls,
  },
  {
    name: 'phi-4',
    source: ['https://ollama.com/library/phi4-mini:latest/blobs/813f53fdc6e5'],
    all: ['<|tool_call|>', '<|/tool_call|>'],
    reasoning: think,
    toolCalls: calls.phi4Calls,
  },
  {
    name: 'internlm',
    source: ['InternLM/InternLM 1182cbb chat/chat_format.md'],
    all: ['<|plugin|>', '<|action_start|>'],
    reasoning: think,
    toolCalls: calls.internlmCalls,
  },
  {
    name: 'olmo-3',
    source: ['vllm-project/vllm 2e30b47 examples/tool_chat_template_olmo3.jinja'],
    all: ['<function_calls>', '<functions>'],
    reasoning: think,
    toolCalls: calls.olmoCalls,
  },
  {
    name: 'firefunction',
    source: templates('fireworks-ai-llama-3-firefunction-v2'),
    all: ['functools['],
    toolCalls: calls.firefunctionCalls,
  },
  {
    name: 'functionary-3.1',
    source: templates('meetkai-functionary-medium-v3.1'),
    all: ['<function=', '</function>'],
    toolCalls: calls.functionary31Calls,
  },
  {
    name: 'deepseek-r1',
    source: templates(
      'deepseek-ai-DeepSeek-R1-Distill-Llama-8B',
      'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B',
      'llama-cpp-deepseek-r1',
    ),
    all: ['<｜tool▁calls▁begin｜>', '```json'],
    reasoning: think,
    toolCalls: calls.deepseek1Calls,
  },
  {
    name: 'deepseek-v3.1',
    source: templates('deepseek-ai-DeepSeek-V3.1'),
    all: ['<｜tool▁calls▁begin｜>'],
    reasoning: think,
    toolCalls: calls.deepseek31Calls,
  },
  {
    name: 'solar',
    source: templates('upstage-Solar-Open-100B'),
    all: ['<|tool_call:begin|>'],
    reasoning: { open: '<|think|>', close: '<|end|>', opensAnywhere: true },
    toolCalls: calls.solarCalls,
    text: { open: '<|content|>', close: '<|end|>' },
    hidden: ['<|begin|>assistant', '<|flush|>'],
  },
  {
    name: 'hermes',
    source: templates(
      'Bielik-11B-v3.0-Instruct',
      'MiMo-VL',
      'NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use',
      'NousResearch-Hermes-3-Llama-3.1-8B-tool_use',
      'Qwen-QwQ-32B',
      'Qwen-Qwen2.5-7B-Instruct',
      'Qwen-Qwen3-0.6B',
      'Reka-Edge',
      'ibm-granite-granite-4.0',
      'ibm-granite-granite-4.1',
    ),
    all: ['<tool_call>'],
    reasoning: think,
    toolCalls: calls.hermesCalls,
  },
  {
    name: 'llama-3',
    source: templates(
      'meta-llama-Llama-3.1-8B-Instruct',
      'meta-llama-Llama-3.2-3B-Instruct',
      'meta-llama-Llama-3.3-70B-Instruct',
    ),
    all: ['<|start_header_id|>', '"parameters"'],
    toolCalls: calls.llamaCalls,
  },
  {
    name: 'llama-4',
    source: ['vllm-project/vllm 97ce423 examples/tool_chat_template_llama4_json.jinja'],
    all: ['<|header_start|>', '"parameters"'],
    toolCalls: calls.llamaCalls,
  },
  {
    name: 'granite-3.3',
    source: templates('ibm-granite-granite-3.3-2B-Instruct'),
    all: ['<|start_of_role|>', '<response>', '<think>'],
    reasoning: { open: '<think>', close: '</think>', onlyWhenAsked: true },
    toolCalls: calls.graniteCalls,
    text: { open: '<response>', close: '</response>' },
  },
  {
    name: 'granite-3',
    source: ['vllm-project/vllm 1adeccc examples/tool_chat_template_granite.jinja'],
    all: ['<|start_of_role|>', '<|tool_call|>'],
    reasoning: think,
    toolCalls: calls.graniteCalls,
  },
  // Templates without tools: these are described in the system text, and the model is asked to write Hermes calls.
  {
    name: 'think',
    source: templates('HuggingFaceTB-SmolLM3-3B', 'llama-cpp-rwkv-world'),
    all: ['<think>'],
    reasoning: think,
    toolCalls: calls.hermesCalls,
    generic: true,
  },
  {
    name: 'plain',
    source: templates('google-gemma-2-2b-it', 'microsoft-Phi-3.5-mini-instruct'),
    all: [],
    toolCalls: calls.hermesCalls,
    generic: true,
  },
];
