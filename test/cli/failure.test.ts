import { describe, expect, it } from 'vitest';
import { failureText } from '../../src/cli/failure.ts';
import { ServeError } from '../../src/contract/errors.ts';

const config = { host: '127.0.0.1', port: 8080, logLevel: 'info' } as const;

describe('failureText', () => {
  it('gives the sentence of a ServeError', () => {
    const error = new ServeError('invalid_request', 'There is no model x.gguf.');
    expect(failureText(error, undefined)).toBe('There is no model x.gguf.');
  });

  it.each([
    ['EADDRINUSE', /^Port 8080 on 127.0.0.1 is in use\. .*--port/],
    ['EACCES', /^Port 8080 needs more rights.*--port/],
    ['EADDRNOTAVAIL', /^This machine has no address 127.0.0.1\..*--host/],
  ])('explains %s', (code, sentence) => {
    expect(failureText(Object.assign(new Error('listen'), { code }), config)).toMatch(sentence);
  });

  it('shows the stack of the unexpected only when asked', () => {
    const error = new Error('Boom.', { cause: new Error('deep') });
    expect(failureText(error, config)).toBe(
      'The server cannot start: Boom. (deep) Run it with --verbose for the details.',
    );
    expect(failureText(error, { ...config, logLevel: 'debug' })).toContain('at ');
  });

  it('copes with what is no error', () => {
    expect(failureText('nonsense', config)).toBe('Something unknown went wrong: nonsense');
  });
});
