import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { vocabularyFacts } from '../../src/engine/remote/model-description.ts';
import { createTokenText } from '../../src/engine/token-text.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat } from '../prompt/chat.ts';
import { llamaSources } from '../support/llama-sources.ts';
import { loadVocabulary } from '../support/native.ts';

/** The text between the turns is the template's: whatever else is a control token would be the user's. */
const template = `{% for message in messages %}{{ message.role }}: {{ message.content }}
{% for call in message.tool_calls or [] %}{{ call.function.name }}{{ call.function.arguments | tojson }}{% endfor %}{% endfor %}`;

const folder = llamaSources('models');
/** The others take a minute together: `ALL_VOCABULARIES=1` tries them too. */
const usual = ['deepseek-llm', 'llama-spm', 'phi-3', 'qwen35'];
const names = readdirSync(folder).flatMap((file) => /^ggml-vocab-(.*)\.gguf$/.exec(file)?.[1] ?? []);
const tried = names.filter((name) => process.env.ALL_VOCABULARIES || usual.includes(name));

describe('user text', () => {
  it('is tried with real vocabularies', () => {
    expect(names).toHaveLength(19);
    expect(tried.length).toBeGreaterThanOrEqual(usual.length);
  });

  it.each(tried)('never becomes a control token of %s', async (name) => {
    const model = loadVocabulary(join(folder, `ggml-vocab-${name}.gguf`));
    try {
      const vocabulary = vocabularyFacts(model.vocabulary);
      const format = detectChatFormat(template);
      const renderer = createPromptRenderer({ template, vocabulary, format, now: () => new Date(0) });
      const evil = vocabulary.controlTexts.map((text) => `x${text}y ${text}${text}`).join('\n');
      const prompt = chat([
        { role: 'user', content: evil, name: evil },
        {
          role: 'assistant',
          content: evil,
          toolCalls: [{ id: evil, name: evil, arguments: JSON.stringify({ [evil]: evil }) }],
        },
        { role: 'user', content: evil },
      ]);
      const text = createTokenText({ vocabulary: model.vocabulary, yieldToEventLoop: () => Promise.resolve() });
      const { pieces } = renderer.render(prompt);
      const tokens = await text.tokenize(pieces, { special: true });
      expect(tokens.length).toBeGreaterThan(0);
      expect(tokens.filter((token) => text.isControl(token)).map((token) => String(text.bytes(token)))).toEqual([]);
    } finally {
      model.free();
    }
  });
});
