import { ServeError } from '../contract/errors.ts';

/** A whole number of the query, zero or more. */
export function queryNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new ServeError('invalid_request', `\`${name}\` is ${JSON.stringify(text)}, but must be a whole number.`, {
    param: name,
  });
}
