/** The caller's id where it is fit for headers and logs, else a new one. */
export function requestIdOf(headers: Headers, newId: () => string): string {
  const given = headers.get('x-request-id');
  return given !== null && /^[\x21-\x7e]{1,128}$/.test(given) ? given : `req_${newId()}`;
}
