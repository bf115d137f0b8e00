import { ServeError } from '../../contract/errors.ts';
import type { Dialect } from '../dialect.ts';
import { idPrefix, wholeMessage } from './answer.ts';
import { toErrorBody } from './error.ts';
import type { MessagesCall } from './request.ts';
import { parseMessages } from './request.ts';
import { MessagesEncoder } from './stream.ts';

/** `POST /v1/messages`: Anthropic's Messages API, version 2023-06-01. One answer per call. */
export const anthropicMessages: Dialect<MessagesCall> = {
  name: 'anthropic-messages',
  format: 'sse',
  idPrefix,
  requestIdHeader: 'request-id',
  showsServerTools: 'asked',
  parse: parseMessages,
  whole(call, answer, [result]) {
    if (!result) throw new ServeError('internal', 'The message has no generation to show.');
    return wholeMessage(call, answer, result);
  },
  encoder: (call, answer) => new MessagesEncoder(call, answer),
  error: toErrorBody,
};
