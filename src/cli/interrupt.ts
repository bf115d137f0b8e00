import { ServeError } from '../contract/errors.ts';

/** Exit codes as shells give them: 128 and the signal's number. */
const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** Aborts on the signals that end a program, so that what it has begun is taken away first; a second one ends it at once. */
export function interruptSignal(): AbortSignal {
  const interrupt = new AbortController();
  for (const [signal, code] of Object.entries(codes)) {
    process.once(signal, () => {
      if (interrupt.signal.aborted) process.exit(code);
      process.exitCode = code;
      interrupt.abort(new ServeError('cancelled', 'Stopped.'));
    });
  }
  return interrupt.signal;
}
