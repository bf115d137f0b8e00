import { ServeError } from '../../contract/errors.ts';

/** The same error about the field's name in this dialect: other rooms call the prompt `messages`. */
export function renameParam(error: ServeError, names: Readonly<Record<string, string>>): ServeError {
  const { param } = error.details;
  const name = param === undefined ? undefined : names[param];
  if (name === undefined) return error;
  return new ServeError(error.code, error.message, { ...error.details, param: name }, { cause: error.cause });
}
