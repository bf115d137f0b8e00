import { describe, expect, it } from 'vitest';
import { failureText } from '../../src/cli/failure.ts';
import { ServeError } from '../../src/contract/errors.ts';

const config = { logLevel: 'info' } as const;

describe('failureText', () => {
  it('gives the sentence of a ServeError', () => {
    const error = new ServeError('invalid_request', 'There is no model x.gguf.');
    expect(failureText(error, undefined)).toBe('There is no model x.gguf.');
  });

  it('shows the stack of the unexpected only when asked', () => {
    const error = new Error('Boom.', { cause: new Error('deep') });
    expect(failureText(error, config)).toBe(
      'The server cannot start: Boom (deep). Run it with --verbose for the details.',
    );
    expect(failureText(new Error('ENOSPC'), config, 'serve-model pull failed')).toBe(
      'serve-model pull failed: ENOSPC. Run it with --verbose for the details.',
    );
    expect(failureText(error, { ...config, logLevel: 'debug' })).toContain('at ');
  });

  it('stays one line, whatever the names in it hold', () => {
    const error = new ServeError('invalid_request', 'There is no model x\nserve-model: all is well\u001b[2K.gguf.');
    expect(failureText(error, undefined)).toBe('There is no model x\\nserve-model: all is well\\u001b[2K.gguf.');
  });

  it('copes with what is no error', () => {
    expect(failureText('nonsense', config)).toBe('Something unknown went wrong: nonsense');
  });
});
