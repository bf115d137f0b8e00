import type { Dialect } from '../dialect.ts';
import { openaiError } from '../shared/openai-error.ts';
import type { ChatCall } from './request.ts';
import { parseChat } from './request.ts';
import { ChatStream } from './stream.ts';
import { chatMessages, idPrefix, wholeChat } from './whole.ts';

/** POST /v1/chat/completions. */
export const openaiChat: Dialect<ChatCall> = {
  name: 'openai-chat',
  format: 'sse',
  idPrefix,
  showsServerTools: 'always',
  parse: parseChat,
  whole: wholeChat,
  messages: chatMessages,
  encoder: (call, answer) => new ChatStream(call, answer),
  error: openaiError,
};
