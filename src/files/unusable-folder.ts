import { ServeError } from '../contract/errors.ts';

/** A folder that a flag names, which could not be made, read or written -> what a person can do. */
export function unusableFolder(flag: string, folder: string, error: unknown): ServeError {
  return new ServeError(
    'invalid_request',
    `${flag} ${folder} cannot be used (${error instanceof Error ? error.message : String(error)}). Give a folder that can be written.`,
    {},
    { cause: error },
  );
}
