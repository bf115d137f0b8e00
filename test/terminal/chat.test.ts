import { expect, it } from 'vitest';
import { connect } from '../../src/client/connection.ts';
import { Chat } from '../../src/terminal/chat.ts';
import { chatFiles } from '../../src/terminal/chat-files.ts';
import type { LineEditor } from '../../src/terminal/line-editor.ts';
import { within } from '../http/support.ts';

const step = (state: string, more: object = {}) => ({ id: 'call_0', server: 'files', name: 'write', state, ...more });
const frames = [
  { id: 'chatcmpl-7', choices: [], server_tool: step('called', { arguments: '{}' }) },
  { id: 'chatcmpl-7', choices: [], server_tool: step('asks') },
  { id: 'chatcmpl-7', choices: [], server_tool: step('denied', { result: 'Nobody was there.' }) },
  { id: 'chatcmpl-7', choices: [{ delta: { content: 'So be it.' } }] },
  { id: 'chatcmpl-7', choices: [{ delta: {}, finish_reason: 'stop' }] },
];

it('tells a word that comes too late apart from one that counts, and goes on with the answer', async () => {
  const bodies: unknown[] = [];
  const connection = connect({ url: 'http://localhost', key: undefined }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === '/api/mcp') return Response.json({ servers: [{ name: 'files' }] });
    if (pathname === '/v1/chat/completions')
      return new Response(`${frames.map((frame) => `data: ${JSON.stringify(frame)}\n\n`).join('')}data: [DONE]\n\n`);
    bodies.push(pathname, await request.json());
    return Response.json({ error: { message: 'No call waits.' } }, { status: 404 });
  });
  const messages = ['Write it', undefined];
  const editor: LineEditor = {
    ask: async () => messages.shift(),
    askKey: async () => 'a',
    busy: () => undefined,
    close: () => undefined,
  };
  let shown = '';
  const write = (text: string) => {
    shown += text;
  };
  const chat = new Chat({ connection, model: 'm', editor, write, colours: false, files: chatFiles, sessionId: 's' });
  await within('the end of the chat', chat.run());
  expect(bodies).toEqual(['/api/mcp/calls/call_0', { approve: true, always: true, answer: 'chatcmpl-7' }]);
  expect(shown).toContain('It waits no more');
  expect(chat.conversation.messages.at(-1)).toMatchObject({ role: 'assistant', text: 'So be it.' });
});
