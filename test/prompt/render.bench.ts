import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { bench, describe } from 'vitest';
import type { Message } from '../../src/contract/request.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { createPromptRenderer } from '../../src/prompt/renderer.ts';
import { chat, vocabulary } from './chat.ts';

const template = readFileSync(resolve(import.meta.dirname, '../../scripts/demo-model/chat_template.jinja'), 'utf8');
const renderer = createPromptRenderer({
  template,
  vocabulary,
  format: detectChatFormat(template),
  now: () => new Date(0),
});

const messages = Array.from({ length: 50 }, (_, index): Message => {
  const content = 'The quick brown fox <b>jumps</b> over the lazy dog. '.repeat(20);
  return index % 2 ? { role: 'assistant', content } : { role: 'user', content };
});
const history = chat([...messages, { role: 'user', content: 'Go on.' }]);

describe('a history of 50 messages, 50 kB', () => {
  bench('render', () => {
    renderer.render(history);
  });
});
