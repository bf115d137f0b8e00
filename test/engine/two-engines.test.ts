import fc from 'fast-check';
import { getLlama } from 'node-llama-cpp';
import { expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import type { ChatPrompt, Message } from '../../src/contract/request.ts';
import { nativeBindings } from '../../src/engine/llama/native.ts';
import { detectChatFormat } from '../../src/output/families.ts';
import type { CompileTemplate } from '../../src/prompt/jinja.ts';
import { createPromptRenderer, type PromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, fromWireTool, vocabulary } from '../prompt/chat.ts';
import { realTemplates } from '../support/llama-sources.ts';
import { histories } from './histories.ts';

const bindings = nativeBindings(await getLlama({ build: 'never', gpu: false }));
const now = new Date();

/** Few texts, so that what is new gets rare and the engines have to agree on combinations that were never compared. */
const text = fc.constantFrom(
  'Hello',
  'Two lines.\nNaïve 漢字 🙂',
  ' spaced\n',
  'It\'s "quoted" \\ <b>bold</b>',
  '<think>I see</think>\n\nDone.',
  'before </think> after',
  '<tool_response>x</tool_response>',
  'Go on /no_think',
  '{"a": [1, null]}',
  '',
);
const args = fc.constantFrom(
  '{}',
  '{"path": "src/ü.ts", "line": 3}',
  '{"items": [1, "a", null, {"b": true}]}',
  '{"x": 0.1}',
);
const call = fc.record({ id: fc.constantFrom('abcdefgh1', 'abcdefgh2'), name: fc.constantFrom('read', 'write'), args });

const turns = fc.oneof(
  fc.tuple(text, text).map(([content, answer]): Message[] => [
    { role: 'user', content },
    { role: 'assistant', content: answer },
  ]),
  fc.tuple(text, text, text).map(([content, reasoning, answer]): Message[] => [
    { role: 'user', content },
    { role: 'assistant', content: answer, reasoning },
  ]),
  fc
    .tuple(text, text, fc.array(call, { minLength: 1, maxLength: 2 }), text)
    .map(([content, said, calls, answer]): Message[] => [
      { role: 'user', content },
      {
        role: 'assistant',
        content: said,
        toolCalls: calls.map(({ id, name, args: given }) => ({ id, name, arguments: given })),
      },
      ...calls.map(({ id }): Message => ({ role: 'tool', content: answer, toolCallId: id })),
      { role: 'assistant', content: answer },
    ]),
);

const tool = fromWireTool({
  type: 'function',
  function: {
    name: 'read',
    description: 'Reads "it"',
    parameters: { type: 'object', properties: { path: { type: 'string', description: 'Naïve' } }, required: ['path'] },
  },
});
const conversation = fc
  .record({
    system: fc.option(text, { nil: undefined }),
    history: fc.array(turns, { maxLength: 3 }).map((all) => all.flat()),
    last: text,
    hasTools: fc.boolean(),
    enabled: fc.option(fc.boolean(), { nil: undefined }),
  })
  .map(({ system, history, last, hasTools, enabled }): ChatPrompt => {
    const messages: Message[] = [...history, { role: 'user', content: last }];
    return chat(system === undefined ? messages : [{ role: 'system', content: system }, ...messages], {
      tools: hasTools ? [tool] : [],
      reasoning: enabled === undefined ? {} : { enabled },
    });
  });

function outcome(renderer: PromptRenderer, prompt: ChatPrompt): string {
  try {
    return JSON.stringify(renderer.render(prompt));
  } catch (error) {
    if (error instanceof ServeError) return error.message;
    throw error;
  }
}

it('with two engines, real templates make the prompts that llama.cpp makes alone', { timeout: 120_000 }, () => {
  const conversations = [...Object.values(histories), ...fc.sample(conversation, { numRuns: 40, seed: 7 })];
  let withoutNative = 0;
  for (const { name, text: template } of realTemplates()) {
    let nativeRenders = 0;
    let time = 0;
    const compile: CompileTemplate = (source) => {
      const renderer = new bindings.AddonJinjaRenderer(source);
      return (variables) => {
        nativeRenders += 1;
        time += 100;
        return renderer.render(variables);
      };
    };
    const options = { template, vocabulary, now: () => now, format: detectChatFormat(template), compile };
    const alone = createPromptRenderer(options);
    // The other engine takes no time, so it is chosen wherever it may be.
    const together = createPromptRenderer({ ...options, clock: () => time });
    for (const [index, prompt] of conversations.entries()) {
      const wanted = outcome(alone, prompt);
      nativeRenders = 0;
      expect(outcome(together, prompt), `${name}, conversation ${index}`).toBe(wanted);
      if (nativeRenders === 0) withoutNative += 1;
    }
  }
  expect(withoutNative).toBeGreaterThan(300);
});
