import type { Dialect } from '../dialect.ts';
import { encoder, wholeChoice } from '../llama-cpp/answer.ts';
import type { LlamaCall } from '../llama-cpp/fields.ts';
import { openaiError, renameParam } from '../shared/openai-error.ts';
import { parse } from './request.ts';

/** POST /infill: fill-in-the-middle in llama.cpp's form. */
export const infill: Dialect<LlamaCall> = {
  name: 'infill',
  format: 'sse',
  idPrefix: 'infill-',
  parse,
  whole: (call, answer, [result]) => (result ? wholeChoice(call, answer, result) : {}),
  encoder,
  error: (error) => openaiError(renameParam(error, { messages: 'input_prefix', suffix: 'input_suffix' })),
};
