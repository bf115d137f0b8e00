import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';

/** Anything thrown -> what stands on stderr: sentences with the next step, for a person. `failed`: what did not come about. */
export function failureText(
  thrown: unknown,
  config: Pick<Config, 'logLevel'> | undefined,
  failed = 'The server cannot start',
): string {
  if (thrown instanceof ServeError && thrown.code !== 'internal') return printable(thrown.message);
  if (!(thrown instanceof Error)) return printable(`Something unknown went wrong: ${String(thrown)}`);
  if (config?.logLevel === 'debug') return thrown.stack ?? thrown.message;
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : '';
  const what = thrown.message.replace(/\.$/, '');
  return printable(`${failed}: ${what}${cause}. Run it with --verbose for the details.`);
}
