import type { Dialect } from '../dialect.ts';
import { openaiError, renameParam } from '../shared/openai-error.ts';
import type { CompletionsCall } from './request.ts';
import { parse } from './request.ts';
import { encoder, whole } from './stream.ts';

/** POST /v1/completions: raw text in, raw text out. */
export const openaiCompletions: Dialect<CompletionsCall> = {
  name: 'openai-completions',
  format: 'sse',
  idPrefix: 'cmpl-',
  parse,
  whole,
  encoder,
  error: (error) => openaiError(renameParam(error, { messages: 'prompt' })),
};
