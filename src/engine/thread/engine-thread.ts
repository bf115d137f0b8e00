import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { FromLoop, ToLoop } from '../remote/protocol.ts';

/** What the worker is given: its end of the channel, and a counter of what was sent. */
export interface ThreadData {
  readonly port: import('node:worker_threads').MessagePort;
  /** Int32, one element: messages sent to the loop, so that it can sleep until the next one. */
  readonly sent: SharedArrayBuffer;
}

/** The thread in which an engine's loop runs. */
export interface EngineThread {
  /** Nothing happens when the thread is gone. */
  send(message: ToLoop): void;
  /** Who hears the loop from now on; what came before is told at once. */
  listen(hear: (message: FromLoop) => void): void;
  /** Settles when the thread has ended, whatever the reason. */
  readonly gone: Promise<ServeError>;
}

/** `entry`: the compiled file that calls `serveThread`. */
export function startEngineThread(entry: URL): EngineThread {
  const { port1: port, port2 } = new MessageChannel();
  const sent = new SharedArrayBuffer(4);
  const counter = new Int32Array(sent);
  const worker = new Worker(entry, {
    workerData: { port: port2, sent } satisfies ThreadData,
    transferList: [port2],
    // The server's own flags are for its own thread.
    execArgv: [],
    name: 'engine',
  });
  const gone = createDeferred<ServeError>();
  const early: FromLoop[] = [];
  let hear = (message: FromLoop): void => void early.push(message);
  let alive = true;
  port.on('message', (message: FromLoop) => hear(message));
  const end = (cause?: unknown) => {
    if (!alive) return;
    alive = false;
    // What it said last is still on its way.
    for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port)) hear(last.message);
    port.close();
    gone.resolve(
      new ServeError('engine_failure', "The model's thread ended.", {}, cause === undefined ? {} : { cause }),
    );
  };
  worker.once('error', end);
  worker.once('exit', () => end());
  return {
    send(message) {
      if (!alive) return;
      port.postMessage(message);
      Atomics.add(counter, 0, 1);
      Atomics.notify(counter, 0);
    },
    listen(listener) {
      hear = listener;
      for (const message of early.splice(0)) listener(message);
    },
    gone: gone.promise,
  };
}
