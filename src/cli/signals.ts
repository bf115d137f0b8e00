/** The part of a process that signals need. */
export interface SignalProcess {
  on(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP', listener: () => void): unknown;
  exit(code: number): void;
}

export interface Stoppable {
  drain(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Ctrl-C closes and exits with 130; SIGTERM lets running answers finish and exits with 0; any second signal ends at
 * once. `running` is undefined while the server starts: then the first signal ends at once too.
 */
export function handleSignals(
  process: SignalProcess,
  running: () => Stoppable | undefined,
  report: (text: string) => void,
): void {
  let stopping = false;
  const on = (signal: 'SIGINT' | 'SIGTERM', code: number, stop: (server: Stoppable) => Promise<void>) =>
    process.on(signal, () => {
      const server = running();
      if (stopping || !server) {
        process.exit(code);
        return;
      }
      stopping = true;
      stop(server).then(
        () => process.exit(code),
        (error: unknown) => {
          report(`The server did not stop cleanly: ${error instanceof Error ? error.message : String(error)}`);
          process.exit(1);
        },
      );
    });
  on('SIGINT', 130, (server) => {
    report('Stopping. Press Ctrl-C again to stop at once.');
    return server.close();
  });
  on('SIGTERM', 0, async (server) => {
    report('Draining: running answers finish, new ones are refused.');
    await server.drain();
    await server.close();
  });
}

/**
 * SIGHUP reads the key file again, one that came while the server started as soon as it runs: call what is given then.
 * Without a key file the signal is left alone: it ends the process, as it does when a terminal closes.
 */
export function handleKeySignal(
  process: Pick<SignalProcess, 'on'>,
  running: () => { rereadKeys(): void } | undefined,
): () => void {
  let waiting = false;
  process.on('SIGHUP', () => {
    const server = running();
    if (server) server.rereadKeys();
    else waiting = true;
  });
  return () => {
    if (waiting) running()?.rereadKeys();
  };
}
