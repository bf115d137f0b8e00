import { ServeError } from '../../contract/errors.ts';

export function refusedSound(why: string, cause?: unknown): ServeError {
  const sentence = `This sound cannot be heard: ${why}.`;
  return new ServeError('invalid_request', sentence, {}, cause === undefined ? {} : { cause });
}
