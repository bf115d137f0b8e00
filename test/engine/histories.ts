import type { ChatPrompt, Message } from '../../src/contract/request.ts';
import { chat, fromWireTool } from '../prompt/chat.ts';

const text = `${'The quick brown fox <b>jumps</b> over the lazy dog.\n'.repeat(20)}The end.`;

const tools = ['read', 'write', 'search'].map((name) =>
  fromWireTool({
    type: 'function',
    function: {
      name,
      description: 'Does something with files. '.repeat(5),
      parameters: {
        type: 'object',
        properties: {
          path: { type: 'string', description: 'Where' },
          lines: { type: 'array', items: { type: 'integer' }, description: 'Which lines' },
          text: { type: 'string', description: 'What' },
        },
        required: ['path'],
      },
    },
  }),
);

function turn(index: number): Message[] {
  const id = `abcdefg${10 + index}`;
  const args = { path: 'src/index.ts', lines: [1, 2, 3], text: text.slice(0, 300) };
  return [
    { role: 'user', content: text },
    { role: 'assistant', content: '', toolCalls: [{ id, name: 'write', arguments: JSON.stringify(args) }] },
    { role: 'tool', content: text, toolCallId: id },
    { role: 'assistant', content: 'Done.' },
  ];
}

const system: Message = { role: 'system', content: 'You answer briefly.' };

/** Conversations of 50 messages: 50 kB of chat, and 27 kB of an agent's work with twelve tool calls. */
export const histories: Readonly<Record<'chat' | 'agent', ChatPrompt>> = {
  chat: chat([
    system,
    ...Array.from({ length: 49 }, (_, index): Message => ({ role: index % 2 ? 'assistant' : 'user', content: text })),
  ]),
  agent: chat(
    [system, ...Array.from({ length: 12 }, (_, index) => turn(index)).flat(), { role: 'user', content: 'Go on.' }],
    {
      tools,
    },
  ),
};
