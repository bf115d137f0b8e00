/** The part of a stream that the log needs: process.stdout, or a double in tests. */
export interface LogStream {
  write(text: string): boolean;
  /** Bytes written but not yet taken by the reader. */
  readonly writableLength: number;
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** Takes lines of JSON, one at a time. */
export interface LogSink {
  write(line: string): void;
}

interface StreamState {
  broken: boolean;
}

/** One error listener for each stream, however many servers a process starts and ends on it. */
const states = new WeakMap<LogStream, StreamState>();

function stateOf(stream: LogStream): StreamState {
  const known = states.get(stream);
  if (known) return known;
  const state = { broken: false };
  states.set(stream, state);
  // It stays for the life of the process: without it a closed pipe is an uncaught exception.
  stream.on('error', () => {
    state.broken = true;
  });
  return state;
}

/** As much as a stalled reader may leave in memory; 1 MB is some thousand lines. */
const mostPending = 1 << 20;

/**
 * Writes lines, in the form that `format` gives them, to a stream that may stall or break. Node writes to a pipe without blocking and queues what the reader
 * does not take, without limit: here lines are dropped beyond 1 MB, and the next line that fits says how many. A closed
 * pipe (EPIPE) ends the log, never the server. Files and terminals are written synchronously, so no line is lost at
 * exit; the price is that a terminal stopped with Ctrl-S stops the server too.
 */
export function createLogSink(stream: LogStream, format: (line: string) => string): LogSink {
  const state = stateOf(stream);
  let dropped = 0;
  return {
    write(line) {
      if (state.broken) return;
      if (stream.writableLength > mostPending) {
        dropped++;
        return;
      }
      if (dropped > 0) stream.write(format(`{"level":40,"msg":"${dropped} log lines were lost: nobody read them"}\n`));
      dropped = 0;
      stream.write(format(line));
    },
  };
}
