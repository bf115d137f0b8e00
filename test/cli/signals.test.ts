import { describe, expect, it } from 'vitest';
import { handleKeySignal, handleSignals, type Stoppable } from '../../src/cli/signals.ts';

/** Records what happens; the server's steps end when the test says so. */
function scene(running: boolean) {
  const happened: string[] = [];
  const listeners = new Map<string, () => void>();
  let finish: (error?: Error) => void = () => {};
  const step = (name: string) =>
    new Promise<void>((resolve, reject) => {
      happened.push(name);
      finish = (error) => (error ? reject(error) : resolve());
    });
  const server: Stoppable = { drain: () => step('drain'), close: () => step('close') };
  const process = {
    on: (signal: string, listener: () => void) => listeners.set(signal, listener),
    exit: (code: number) => void happened.push(`exit ${code}`),
  };
  handleSignals(
    process,
    () => (running ? server : undefined),
    (text) => happened.push(text),
  );
  return {
    happened,
    send: (signal: string) => listeners.get(signal)?.(),
    finish: async (error?: Error) => {
      finish(error);
      await new Promise(setImmediate);
    },
  };
}

const stopping = 'Stopping. Press Ctrl-C again to stop at once.';
const draining = 'Draining: running answers finish, new ones are refused.';

describe('handleSignals', () => {
  it('closes on Ctrl-C and exits with 130 afterwards', async () => {
    const { happened, send, finish } = scene(true);
    send('SIGINT');
    expect(happened).toEqual([stopping, 'close']);
    await finish();
    expect(happened).toEqual([stopping, 'close', 'exit 130']);
  });

  it('drains on SIGTERM, then closes and exits with 0', async () => {
    const { happened, send, finish } = scene(true);
    send('SIGTERM');
    await finish();
    await finish();
    expect(happened).toEqual([draining, 'drain', 'close', 'exit 0']);
  });

  it.each([
    ['SIGINT', 'SIGINT', [stopping, 'close', 'exit 130']],
    ['SIGTERM', 'SIGINT', [draining, 'drain', 'exit 130']],
    ['SIGTERM', 'SIGTERM', [draining, 'drain', 'exit 0']],
  ])('ends at once on %s followed by %s', (first, second, expected) => {
    const { happened, send } = scene(true);
    send(first);
    send(second);
    expect(happened).toEqual(expected);
  });

  it('ends at once while the server starts', () => {
    const { happened, send } = scene(false);
    send('SIGINT');
    expect(happened).toEqual(['exit 130']);
  });

  it('exits with 1 and a sentence when stopping fails', async () => {
    const { happened, send, finish } = scene(true);
    send('SIGINT');
    await finish(new Error('stuck'));
    expect(happened).toEqual([stopping, 'close', 'The server did not stop cleanly: stuck', 'exit 1']);
  });
});

describe('handleKeySignal', () => {
  function keyScene() {
    let read = 0;
    let server: { rereadKeys(): void } | undefined;
    let send: () => void = () => undefined;
    const nowRunning = handleKeySignal(
      {
        on: (signal, listener) => {
          if (signal === 'SIGHUP') send = listener;
        },
      },
      () => server,
    );
    return {
      read: () => read,
      send: () => send(),
      start: () => {
        server = { rereadKeys: () => void read++ };
        nowRunning();
      },
    };
  }

  it('reads the keys again at each signal', () => {
    const { start, send, read } = keyScene();
    start();
    expect(read()).toBe(0);
    send();
    send();
    expect(read()).toBe(2);
  });

  it('loses no signal of the time in which the server starts', () => {
    const { start, send, read } = keyScene();
    send();
    expect(read()).toBe(0);
    start();
    expect(read()).toBe(1);
  });
});
