import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';

/** Anything thrown at start -> what stands on stderr: one sentence with the next step, for a person. */
export function failureText(thrown: unknown, config: Pick<Config, 'logLevel'> | undefined): string {
  if (thrown instanceof ServeError && thrown.code !== 'internal') return printable(thrown.message);
  if (!(thrown instanceof Error)) return printable(`Something unknown went wrong: ${String(thrown)}`);
  if (config?.logLevel === 'debug') return thrown.stack ?? thrown.message;
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : '';
  return printable(`The server cannot start: ${thrown.message}${cause} Run it with --verbose for the details.`);
}
