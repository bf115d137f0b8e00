import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/contract/json.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, fromWire, fromWireTool, vocabulary } from './chat.ts';

interface Example {
  readonly prompt: string;
  readonly request: {
    readonly messages: readonly Parameters<typeof fromWire>[0][];
    readonly tools?: readonly Parameters<typeof fromWireTool>[0][];
    readonly chat_template_kwargs?: JsonObject;
  };
}

const root = resolve(import.meta.dirname, '../..');
const examples: readonly Example[] = JSON.parse(
  readFileSync(resolve(root, 'test/fixtures/demo-examples.json'), 'utf8'),
);
const template = readFileSync(resolve(root, 'scripts/demo-model/chat_template.jinja'), 'utf8');
const format = detectChatFormat(template);
const renderer = createPromptRenderer({ template, vocabulary, format, now: () => new Date(2026, 0, 2) });
const hello = chat([{ role: 'user', content: 'Hello' }]);

describe('the demo model', () => {
  it.each(examples.map((example, index) => [index, example] as const))(
    'renders the prompt of example %i',
    (_, example) => {
      const { messages, tools = [], chat_template_kwargs: templateVariables = {} } = example.request;
      const prompt = chat(messages.map(fromWire), { tools: tools.map(fromWireTool), templateVariables });
      expect(renderer.render(prompt).pieces.join('')).toBe(example.prompt);
    },
  );

  it('tells what it can do', () => {
    expect(renderer.capabilities).toEqual({
      supportsTools: true,
      describesTools: true,
      supportsReasoning: true,
      reasoningStyle: 'enable_thinking',
      canDisableThinking: true,
      reasoningAlwaysOn: false,
      supportsPreserveThinking: false,
      readsReasoningEffort: false,
    });
  });

  it('opens in the text, also when thinking is off and its thought is already closed', () => {
    expect(renderer.render(hello).opening).toEqual({ block: 'text', generationPrompt: '<|im_start|>assistant\n' });
    expect(renderer.render({ ...hello, reasoning: { enabled: false } }).opening).toEqual({
      block: 'text',
      generationPrompt: '<|im_start|>assistant\n<think>\n\n</think>\n\n',
    });
  });

  it('continues a final assistant message', () => {
    const begun = chat([...hello.messages, { role: 'assistant', content: 'Once upon' }]);
    expect(renderer.render(begun)).toEqual({
      pieces: ['<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nOnce upon'],
      opening: { block: 'text', generationPrompt: '<|im_start|>assistant\nOnce upon', continues: true },
      warnings: [],
    });
  });

  it('continues a final assistant message inside its thought', () => {
    const begun = chat([...hello.messages, { role: 'assistant', content: '', reasoning: 'The user' }]);
    expect(renderer.render(begun).opening).toEqual({
      block: 'reasoning',
      generationPrompt: '<|im_start|>assistant\n<think>\nThe user',
      continues: true,
    });
  });

  it('closes a final assistant message that is not to be continued', () => {
    const begun = chat([...hello.messages, { role: 'assistant', content: 'Hi' }], { continueFinalMessage: false });
    expect(renderer.render(begun).pieces.join('')).toBe(
      '<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\nHi<|im_end|>\n<|im_start|>assistant\n',
    );
  });
});
