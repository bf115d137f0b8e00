import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Clock } from '../../contract/services.ts';
import { type LoopPort, serveLoop } from '../loop/serve.ts';
import type { ThreadData } from './engine-thread.ts';

/** What a worker does whose data is ThreadData. Settles when its model is disposed of. */
export async function serveThread(clock: Clock): Promise<void> {
  const { port, sent, opening }: ThreadData = workerData;
  const opens = new Int32Array(opening);
  const opened = () => {
    Atomics.sub(opens, 0, 1);
    Atomics.notify(opens, 0);
  };
  // All modules are read.
  opened();
  const counter = new Int32Array(sent);
  let seen = 0;
  const channel: LoopPort = {
    receive() {
      // Before looking: what is sent behind it wakes the next sleep.
      seen = Atomics.load(counter, 0);
      return receiveMessageOnPort(port)?.message;
    },
    send: (message) => port.postMessage(message),
    sleep: (milliseconds) => void Atomics.wait(counter, 0, seen, milliseconds),
    opened,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  await serveLoop(channel, clock);
  port.close();
}
