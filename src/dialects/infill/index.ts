import type { Dialect } from '../dialect.ts';
import { openaiError } from '../shared/openai-error.ts';
import { renameParam } from '../shared/rename-param.ts';
import type { InfillCall } from './request.ts';
import { parse } from './request.ts';
import { encoder, whole } from './stream.ts';

/** POST /infill: fill-in-the-middle in llama.cpp's form. */
export const infill: Dialect<InfillCall> = {
  name: 'infill',
  format: 'sse',
  idPrefix: 'infill-',
  parse,
  whole,
  encoder,
  error: (error) => openaiError(renameParam(error, { messages: 'input_prefix', suffix: 'input_suffix' })),
};
