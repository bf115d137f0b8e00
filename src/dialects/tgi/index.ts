import type { Dialect } from '../dialect.ts';
import type { TgiCall } from './request.ts';
import { parse } from './request.ts';
import { encoder, error, whole } from './stream.ts';

const common = { format: 'sse', idPrefix: 'gen-', whole, encoder, error } as const;

/** POST /generate: the form of Text Generation Inference and LightLLM. */
export const tgiGenerate: Dialect<TgiCall> = {
  ...common,
  name: 'tgi-generate',
  parse: (body) => parse(body, false),
};

/** POST /generate_stream: the same, token by token. */
export const tgiGenerateStream: Dialect<TgiCall> = {
  ...common,
  name: 'tgi-generate-stream',
  parse: (body) => parse(body, true),
};
