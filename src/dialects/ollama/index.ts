import type { Dialect } from '../dialect.ts';
import { type OllamaCall, parseChat, parseGenerate } from './request.ts';
import { encoder, error, inMessage, inResponse, whole } from './stream.ts';

/** POST /api/chat. */
export const ollamaChat: Dialect<OllamaCall> = {
  name: 'ollama-chat',
  format: 'ndjson',
  idPrefix: 'ollama-',
  parse: parseChat,
  whole: (call, answer, results) => whole(inMessage, call, answer, results),
  encoder: (call, answer) => encoder(inMessage, call, answer),
  error,
};

/** POST /api/generate. */
export const ollamaGenerate: Dialect<OllamaCall> = {
  name: 'ollama-generate',
  format: 'ndjson',
  idPrefix: 'ollama-',
  parse: parseGenerate,
  whole: (call, answer, results) => whole(inResponse, call, answer, results),
  encoder: (call, answer) => encoder(inResponse, call, answer),
  error,
};
