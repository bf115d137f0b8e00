import { receiveMessageOnPort, workerData } from 'node:worker_threads';
import type { Clock } from '../../contract/services.ts';
import { type LoopPort, serveLoop } from '../loop/serve.ts';
import type { ThreadData } from './engine-thread.ts';

/** What a worker does whose data is ThreadData. Settles when its model is disposed of. */
export async function serveThread(clock: Clock): Promise<void> {
  const { port, sent, calls }: ThreadData = workerData;
  const counter = new Int32Array(sent);
  const flags = new Int32Array(calls);
  const leave = () => {
    Atomics.sub(flags, 0, 1);
    Atomics.notify(flags, 0);
  };
  const enter = () => {
    Atomics.add(flags, 0, 1);
    if (Atomics.load(flags, 1) === 0) return;
    // The process ends, and this thread with it: also what it was still to open is not opened any more.
    Atomics.store(flags, 0, 0);
    Atomics.notify(flags, 0);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  };
  // All modules are read.
  leave();
  let seen = 0;
  const channel: LoopPort = {
    receive() {
      // Before looking: what is sent after it wakes the next sleep.
      seen = Atomics.load(counter, 0);
      return receiveMessageOnPort(port)?.message;
    },
    send: (message) => port.postMessage(message),
    sleep: (milliseconds) => void Atomics.wait(counter, 0, seen, milliseconds),
    opened: leave,
    enter,
    leave,
    turn: () => new Promise((resolve) => setImmediate(resolve)),
  };
  await serveLoop(channel, clock);
  port.close();
}
