import type { Config } from '../config.ts';
import { ServeError } from '../contract/errors.ts';

/** Anything thrown at start -> what stands on stderr: one sentence with the next step, for a person. */
export function failureText(thrown: unknown, config: Pick<Config, 'host' | 'port' | 'logLevel'> | undefined): string {
  if (thrown instanceof ServeError && thrown.code !== 'internal') return thrown.message;
  if (!(thrown instanceof Error)) return `Something unknown went wrong: ${String(thrown)}`;
  const known = config && 'code' in thrown ? listenFailure(thrown.code, config) : undefined;
  if (known !== undefined) return known;
  if (config?.logLevel === 'debug') return thrown.stack ?? thrown.message;
  const cause = thrown.cause instanceof Error ? ` (${thrown.cause.message})` : '';
  return `The server cannot start: ${thrown.message}${cause} Run it with --verbose for the details.`;
}

function listenFailure(code: unknown, { host, port }: Pick<Config, 'host' | 'port'>): string | undefined {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} on ${host} is in use. Stop the server there, or take another port with --port (0 takes a free one).`;
    case 'EACCES':
      return `Port ${port} needs more rights than this user has. Take a port above 1023 with --port.`;
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return `This machine has no address ${host}. Use 127.0.0.1, or 0.0.0.0 for all addresses, with --host.`;
    default:
      return undefined;
  }
}
