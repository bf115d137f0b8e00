import { describe, expect, it } from 'vitest';
import { type ChatFormat, closingText } from '../../src/contract/chat-format.ts';
import type { Message, Reasoning } from '../../src/contract/request.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { renderSampleTurns } from '../../src/prompt/sample-turns.ts';
import { tool } from '../output/machine.ts';
import { chat, vocabulary } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { compileTemplate as compile } from '../support/native.ts';

const now = () => new Date(0);
const user: Message = { role: 'user', content: 'Question?' };
const thought = 'I think of it.';
const answer = 'The answer is this.';
const turn: Message = { role: 'assistant', content: answer, reasoning: thought };

const models = realTemplates().flatMap(({ name, text: template }) => {
  const format = detectChatFormat(template, undefined, () => renderSampleTurns(template, vocabulary, now, compile));
  if (!format.reasoning) return [];
  const renderer = createPromptRenderer({ template, vocabulary, format, now, compile });
  const write = (last: Message, continueFinalMessage: boolean) =>
    renderer.render(chat([user, last], { continueFinalMessage })).pieces.join('');
  return [{ name, renderer, write, closing: closingText(format.reasoning), finished: write(turn, false) }];
});
/** Apriel's finished turns leave out the words that its prompt begins a thought with: they are no beginning to compare. */
const shown = models.filter(({ name, finished }) => finished.includes(thought) && !name.startsWith('Apriel'));

/** A prompt of each round whose call the server has run, the first one's first. */
function prompts(template: string, format: ChatFormat, reasoning: Reasoning): string[] {
  const renderer = createPromptRenderer({ template, vocabulary, format, now, compile });
  const [first = '', second = ''] = ['0', '1'].map((at) =>
    format.name === 'kimi-k2' ? `functions.look:${at}` : `abcdefgh${at}`,
  );
  const round = (id: string): Message[] => [
    // Spelled as the template would not.
    {
      role: 'assistant',
      content: null,
      ...(reasoning.enabled && { reasoning: thought }),
      toolCalls: [{ id, name: 'look', arguments: '{"a":  1}', server: 's' }],
    },
    { role: 'tool', content: 'Done.', toolCallId: id, name: 'look' },
  ];
  const tools = [tool('look', { a: { type: 'integer' } })];
  return [[user], [user, ...round(first)], [user, ...round(first), ...round(second)]].map((messages) =>
    renderer.render(chat(messages, { tools, reasoning })).pieces.join(''),
  );
}

describe('a turn whose calls the server has run', () => {
  it('stays as it was written, whatever the template does with thoughts that are over', () => {
    const lost = realTemplates().flatMap(({ name, text: template }) => {
      const format = detectChatFormat(template, undefined, () => renderSampleTurns(template, vocabulary, now, compile));
      if (!format.reasoning) return [];
      const [open = '', begun = '', done = ''] = prompts(template, format, { enabled: true });
      const [plain = '', plainBegun = '', plainDone = ''] = prompts(template, format, { enabled: false });
      const thoughts = (text: string) => text.split(thought).length - 1;
      return [
        ...(begun.startsWith(open) && thoughts(begun) === 1 ? [] : [`${name}: thought`]),
        ...(done.startsWith(begun) && thoughts(done) === 2 ? [] : [`${name}: second thought`]),
        ...(plainBegun.startsWith(plain) ? [] : [`${name}: no thought`]),
        ...(plainDone.startsWith(plainBegun) ? [] : [`${name}: second without`]),
      ];
    });
    // Templates whose prompt behind results is no beginning of the turn that they show there later; Hunyuan's skips thoughts.
    expect(lost).toEqual([
      'Apertus-8B-Instruct: second thought',
      'Apertus-8B-Instruct: second without',
      'deepseek-ai-DeepSeek-R1-Distill-Llama-8B: second thought',
      'deepseek-ai-DeepSeek-R1-Distill-Llama-8B: second without',
      'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B: second thought',
      'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B: second without',
      'deepseek-ai-DeepSeek-V3.1: second thought',
      'deepseek-ai-DeepSeek-V3.2: second without',
      'google-gemma-4-31B-it-interleaved: second without',
      'tencent-Hy3: thought',
      'tencent-Hy3: second thought',
    ]);
  });
});

describe('a thought of the chat templates of llama.cpp', () => {
  it('is continued as the finished turn is written', () => {
    const different = shown
      .map(({ name, write, finished }) => ({ name, begun: write({ ...turn, content: '' }, true), finished }))
      .filter(({ begun, finished }) => !finished.startsWith(begun));
    expect(different).toEqual([]);
  });

  it('is closed as the finished turn closes it, before an answer that is continued and by a budget', () => {
    const different = shown
      .map(({ name, write, closing, finished }) => ({ name, closing, begun: write(turn, true), finished }))
      .filter(({ begun, finished, closing }) => !finished.startsWith(begun) || !finished.includes(thought + closing));
    expect(different).toEqual([]);
  });

  it('is closed as a prompt or a call shows where no turn with an answer does, and by the family where nothing does', () => {
    const hidden = models.filter((model) => !shown.includes(model)).map(({ name, closing }) => [name, closing]);
    expect(Object.fromEntries(hidden)).toEqual({
      'Apertus-8B-Instruct': '<|inner_suffix|>',
      'Apriel-1.6-15b-Thinker-fixed': '\n[BEGIN FINAL RESPONSE]\n',
      'CohereForAI-c4ai-command-r7b-12-2024-tool_use': '<|END_THINKING|>',
      'HuggingFaceTB-SmolLM3-3B': '\n</think>\n',
      'Kimi-K2-Thinking': '</think>',
      'LFM2.5-Instruct': '</think>',
      'NVIDIA-Nemotron-Nano-v2': '\n</think>\n\n',
      'Qwen-QwQ-32B': '</think>',
      'deepseek-ai-DeepSeek-R1-Distill-Llama-8B': '\n</think>\n\n',
      'deepseek-ai-DeepSeek-R1-Distill-Qwen-32B': '</think>',
      'deepseek-ai-DeepSeek-V3.1': '</think>',
      'google-gemma-4-31B-it': '\n<channel|>',
      'google-gemma-4-31B-it-interleaved': '<channel|>',
      'ibm-granite-granite-3.3-2B-Instruct': '</think>',
      'llama-cpp-deepseek-r1': '\n</think>\n\n',
      'llama-cpp-rwkv-world': '\n</think>',
      'openai-gpt-oss-120b': '<|end|><|start|>assistant<|channel|>final<|message|>',
      'unsloth-Apriel-1.5': '\n[BEGIN FINAL RESPONSE]\n',
    });
  });

  it('takes the place of the one that the prompt of Hunyuan skips', () => {
    const hunyuan = models.find(({ name }) => name === 'tencent-Hy3');
    const begun = hunyuan?.write(turn, true) ?? '';
    expect(begun.slice(begun.indexOf('<think'))).toBe(`<think:opensource>${thought}</think:opensource>${answer}`);
  });

  it('is closed at once without a budget, also where the prompt opens it', () => {
    const open = models
      .map(({ name, renderer }) => ({
        name,
        ...renderer.render(chat([user], { reasoning: { budget: 0 } })).opening,
      }))
      .filter(({ block }) => block !== 'text');
    expect(open).toEqual([]);
  });
});
