import type { Dialect, Frame } from '../dialect.ts';
import { rawText } from '../shared/answer-text.ts';
import { openaiError, openaiErrorObject } from '../shared/openai-error.ts';
import { parse } from './request.ts';

const done: Frame = { type: 'raw', text: '[DONE]' };

/**
 * POST /generate/stream: frames `{"text": delta}`, one with the used `seed` and no more text, `[DONE]`. Its clients add up
 * the texts, so what tells more than text stands beside an empty one.
 */
export const studioGenerate: Dialect = {
  name: 'studio-generate',
  format: 'sse',
  idPrefix: 'gen-',
  parse,
  whole: (_call, _answer, results) => ({ text: results.map(rawText).join('') }),
  encoder: () => ({
    encode: (event) => {
      if (event.type === 'finish') return [{ type: 'data', data: { text: '', seed: event.seed } }];
      return event.type === 'block-delta' && event.delta !== '' ? [{ type: 'data', data: { text: event.delta } }] : [];
    },
    end: () => [done],
    fail: (error) => [{ type: 'data', data: { error: openaiErrorObject(error) } }, done],
    heartbeat: () => ({ type: 'comment', text: 'keep-alive' }),
  }),
  error: openaiError,
};
