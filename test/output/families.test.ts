import { readdirSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { chatFormats, detectChatFormat, withControlTokens } from '../../src/output/detect-family.ts';
import { families } from '../../src/output/families.ts';
import { llamaRevision, realTemplates } from '../support/llama-sources.ts';
import { lines, run } from './machine.ts';

/** Family and whether it thinks, by the name of the template. */
const expected: Readonly<Record<string, string>> = {
  'Apertus-8B-Instruct': 'apertus, thinks',
  'Apriel-1.6-15b-Thinker-fixed': 'apriel, thinks',
  'Bielik-11B-v3.0-Instruct': 'hermes, thinks',
  'ByteDance-Seed-OSS': 'seed-oss, thinks',
  Cohere2MoE: 'cohere-moe, thinks',
  'CohereForAI-c4ai-command-r-plus-tool_use': 'command-r-plus',
  'CohereForAI-c4ai-command-r7b-12-2024-tool_use': 'command-r7b, thinks',
  'GLM-4.6': 'glm-4.6, thinks',
  'GLM-4.7-Flash': 'glm-4.7, thinks',
  'GigaChat3-10B-A1.8B': 'gigachat-3',
  'GigaChat3.1-10B-A1.8B': 'gigachat-3.1',
  'HuggingFaceTB-SmolLM3-3B': 'think, thinks',
  'Kimi-K2-Instruct': 'kimi-k2',
  'Kimi-K2-Thinking': 'kimi-k2, thinks',
  'Kimi-K3': 'kimi-k3, thinks',
  'LFM2-8B-A1B': 'lfm2',
  'LFM2.5-8B-A1B': 'lfm2.5, thinks',
  'LFM2.5-Instruct': 'lfm2.5, thinks',
  'MiMo-VL': 'hermes',
  'MiniMax-M1': 'minimax-m1',
  'MiniMax-M2': 'minimax-m2, thinks',
  'MiniMax-M3': 'minimax-m3, thinks',
  'Mistral-Small-3.2-24B-Instruct-2506': 'mistral-small',
  'NVIDIA-Nemotron-3-Nano-30B-A3B-BF16': 'qwen3-coder, thinks',
  'NVIDIA-Nemotron-Nano-v2': 'nemotron, thinks',
  'NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use': 'hermes',
  'NousResearch-Hermes-3-Llama-3.1-8B-tool_use': 'hermes',
  'Qwen-QwQ-32B': 'hermes, thinks',
  'Qwen-Qwen2.5-7B-Instruct': 'hermes',
  'Qwen-Qwen3-0.6B': 'hermes, thinks',
  'Qwen3-Coder': 'qwen3-coder',
  'Qwen3.5-4B': 'qwen3-coder, thinks',
  'Reka-Edge': 'hermes, thinks',
  'Spark2.5': 'glm-4.7, thinks',
  'StepFun3.5-Flash': 'qwen3-coder, thinks',
  'deepseek-ai-DeepSeek-R1-Distill-Llama-8B': 'deepseek-r1, thinks',
  'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B': 'deepseek-r1, thinks',
  'deepseek-ai-DeepSeek-V3.1': 'deepseek-v3.1, thinks',
  'deepseek-ai-DeepSeek-V3.2': 'deepseek-v3.2, thinks',
  'deepseek-ai-DeepSeek-V4': 'deepseek-v4, thinks',
  'deepseek-ai-DeepSeek-V4-Flash-0731': 'deepseek-v4, thinks',
  'fireworks-ai-llama-3-firefunction-v2': 'firefunction',
  'google-gemma-2-2b-it': 'plain',
  'google-gemma-4-31B-it': 'gemma-4, thinks',
  'google-gemma-4-31B-it-interleaved': 'gemma-4, thinks',
  'ibm-granite-granite-3.3-2B-Instruct': 'granite-3.3, thinks',
  'ibm-granite-granite-4.0': 'hermes',
  'ibm-granite-granite-4.1': 'hermes',
  'inclusionai-ling-3.0-flash': 'ling-3, thinks',
  'llama-cpp-deepseek-r1': 'deepseek-r1, thinks',
  'llama-cpp-rwkv-world': 'think, thinks',
  'meetkai-functionary-medium-v3.1': 'functionary-3.1',
  'meetkai-functionary-medium-v3.2': 'functionary-3.2',
  'meta-llama-Llama-3.1-8B-Instruct': 'llama-3',
  'meta-llama-Llama-3.2-3B-Instruct': 'llama-3',
  'meta-llama-Llama-3.3-70B-Instruct': 'llama-3',
  'microsoft-Phi-3.5-mini-instruct': 'plain',
  'mistralai-Ministral-3-14B-Reasoning-2512': 'mistral, thinks',
  'mistralai-Mistral-Nemo-Instruct-2407': 'mistral-nemo',
  'moonshotai-Kimi-K2': 'kimi-k2',
  'muse-glimmer': 'muse, thinks',
  'openai-gpt-oss-120b': 'gpt-oss, thinks',
  'openbmb-MiniCPM5-1B': 'minicpm5, thinks',
  'poolside-Laguna-S-2.1': 'laguna, thinks',
  'poolside-Laguna-XS-2.1': 'laguna-xs, thinks',
  'poolside-Laguna-XS.2': 'laguna-xs, thinks',
  'tencent-Hy3': 'hunyuan-3, thinks',
  'unsloth-Apriel-1.5': 'apriel, thinks',
  'unsloth-mistral-Devstral-Small-2507': 'mistral',
  'upstage-Solar-Open-100B': 'solar, thinks',
};

const source = resolve(import.meta.dirname, '../../src');
/** Where markup may be spelled. */
const tables = ['call-markup.ts', 'families.ts', 'family.ts', 'layouts.ts'];

describe('the table of families', () => {
  it('says of each row where its markup was read: every template of the library in use, and what is not among them', () => {
    const sources = families.flatMap(({ name, source }) => source.map((where) => [name, where] as const));
    expect(families.filter(({ source }) => source.length === 0)).toEqual([]);
    const named = sources.flatMap(([name, where]) => {
      const [, revision = '', template = ''] =
        /^ggml-org\/llama.cpp (\w+) models\/templates\/(.+)\.jinja$/.exec(where) ?? [];
      return template === '' ? [] : [{ name, template, isCurrent: llamaRevision().startsWith(revision) }];
    });
    expect(Object.fromEntries(named.map(({ name, template }) => [template, name]))).toEqual(
      Object.fromEntries(realTemplates().map(({ name, text }) => [name, detectChatFormat(text).name])),
    );
    expect(named.length).toBe(realTemplates().length);
    expect(named.filter(({ isCurrent }) => !isCurrent)).toEqual([]);
  });

  it('is where markup stands: no room that reads, writes or allows it spells any', () => {
    const tags = new Set(Object.values(chatFormats).flatMap(({ visibleTokens }) => visibleTokens));
    const files = ['prompt', 'output', 'grammar', 'generation', 'templates'].flatMap((room) =>
      readdirSync(join(source, room), { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.ts') && !tables.includes(basename(file)))
        .map((file) => join(room, file)),
    );
    expect(files.length).toBeGreaterThan(100);
    const spelled = files.flatMap((file) => {
      const code = readFileSync(join(source, file), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, '');
      return [...tags].filter((tag) => code.includes(tag)).map((tag) => `${file}: ${tag}`);
    });
    expect(spelled).toEqual([]);
  });
});

describe('the family of a template', () => {
  it('is found by the markers of all real templates', () => {
    const found = realTemplates().map(({ name, text }) => {
      const { name: family, reasoning } = detectChatFormat(text);
      return [name, reasoning ? `${family}, thinks` : family];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it('is plain for a template without markup, and without template', () => {
    expect(detectChatFormat('{{ messages[0].content }}').name).toBe('plain');
    expect(detectChatFormat(undefined).name).toBe('plain');
  });

  it('tells by itself what an unknown template says about thoughts and calls', () => {
    expect(detectChatFormat('... <think> ...')).toEqual(chatFormats.think);
    const { name, reasoning } = detectChatFormat('... <tool_call> ...');
    expect({ name, reasoning }).toEqual({ name: 'hermes', reasoning: undefined });
  });

  it('can be overridden by name', () => {
    expect(detectChatFormat('<tool_call>', 'gpt-oss')).toEqual(chatFormats['gpt-oss']);
  });

  it('reads a thought in the middle of a line where the vocabulary has its opening marker as a control token', () => {
    const format = withControlTokens(detectChatFormat('... <think> ...'), ['<eos>', '<think>']);
    const text = 'Wait. <think>Hm.</think> Yes.';
    expect(lines(run({ format }, [text]))).toEqual(['text "Wait."', 'reasoning "Hm."', 'text " Yes."']);
    const plain = withControlTokens(detectChatFormat('... <think> ...'), ['<eos>']);
    expect(lines(run({ format: plain }, [text]))).toEqual([`text ${JSON.stringify(text)}`]);
  });

  it('is refused by a name that does not exist, with those that do', () => {
    const wrong = () => detectChatFormat(undefined, 'qwen');
    expect(wrong).toThrow(ServeError);
    expect(wrong).toThrow(/There is no chat format "qwen"\. Use one of: .*hermes.*plain\./);
  });

  it('shows the control tokens that its machine needs, and no others', () => {
    expect(chatFormats['gpt-oss']?.visibleTokens).toEqual(
      expect.arrayContaining(['<|channel|>', '<|message|>', '<|start|>', '<|end|>', '<|constrain|>']),
    );
    expect(chatFormats['gemma-4']?.visibleTokens).toEqual(
      expect.arrayContaining(['<|tool_call>', '<tool_call|>', '<|channel>', '<channel|>', '<|"|>']),
    );
    expect(chatFormats.mistral?.visibleTokens).toEqual(['[THINK]', '[/THINK]', '[TOOL_CALLS]', '[ARGS]']);
    expect(chatFormats.plain?.visibleTokens).toEqual(['<tool_call>', '</tool_call>']);
  });
});
