import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads';
import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { FromLoop, ToLoop } from '../remote/protocol.ts';

/** What the worker is given: its end of the channel, and a counter of what was sent. */
export interface ThreadData {
  readonly port: import('node:worker_threads').MessagePort;
  /** Int32, one element: messages sent to the loop, so that it can sleep until the next one. */
  readonly sent: SharedArrayBuffer;
  /**
   * Int32, two elements: above 0 while the thread must not be ended from outside, see `NativeCalls`; and 1 when the process
   * ends, so that it begins nothing any more.
   */
  readonly calls: SharedArrayBuffer;
}

/** What a thread is started from. */
export interface ThreadProgram {
  /** The compiled file that calls `serveThread`. */
  readonly entry: URL;
  /** See `NativeCalls`; false: nothing of the process is touched. */
  readonly waitAtExit: boolean;
}

/** The thread in which an engine's loop runs. */
export interface EngineThread {
  /** Nothing happens when the thread is gone. */
  send(message: ToLoop): void;
  /** Who hears the loop from now on; what came before is told at once. */
  listen(hear: (message: FromLoop) => void): void;
  /** What ends the native call under way when the process ends. Gives what takes this back. */
  interruptedBy(interrupt: () => void): () => void;
  /** Settles when the thread has ended, whatever the reason. */
  readonly gone: Promise<ServeError>;
}

let spare: SpareThread | undefined;

interface SpareThread {
  readonly entry: string;
  readonly thread: EngineThread;
  /** It keeps the process from now on. */
  take(): EngineThread;
  discard(): void;
}

/**
 * Starts a thread before anybody knows what for: it reads its modules while the program reads its own. The next model gets
 * it. It keeps no process alive.
 */
export function prepareEngineThread(entry: URL): void {
  spare ??= createThread({ entry, waitAtExit: true });
}

/** To the thread that waits for a model, if there is one. */
export function tellPrepared(message: ToLoop): void {
  spare?.thread.send(message);
}

/** No model comes in this process. */
export function discardPreparedThread(): void {
  spare?.discard();
  spare = undefined;
}

export function startEngineThread(program: ThreadProgram): EngineThread {
  const prepared = spare?.entry === program.entry.href ? spare : undefined;
  if (prepared) spare = undefined;
  return (prepared ?? createThread(program)).take();
}

/** Milliseconds: no library takes so long to open, and on a processor no interrupted decode to end. */
const longestNativeCallMs = 3000;

/**
 * Whoever ends the process ends its threads in the middle of what they do, and one that is inside the library then, or
 * just opens it, ends it with an abort and a stack trace instead of the exit code. So the end waits for that: a decode is
 * interrupted, and the thread begins nothing any more. In a program of somebody else's nothing waits: it may end with such
 * an abort where it ends while a model loads.
 */
class NativeCalls {
  /** As `ThreadData.calls`. */
  readonly shared = new SharedArrayBuffer(8);
  readonly #flags = new Int32Array(this.shared);
  readonly #interrupts = new Set<() => void>();
  readonly #wait = () => this.#endThem();

  constructor({ waitAtExit }: Pick<ThreadProgram, 'waitAtExit'>) {
    // Until it has read its modules.
    this.begin();
    if (waitAtExit) process.once('exit', this.#wait);
  }

  begin(): void {
    Atomics.add(this.#flags, 0, 1);
  }

  interruptedBy(interrupt: () => void): () => void {
    this.#interrupts.add(interrupt);
    return () => this.#interrupts.delete(interrupt);
  }

  /** The thread has ended. */
  forget(): void {
    process.removeListener('exit', this.#wait);
  }

  #endThem(): void {
    Atomics.store(this.#flags, 1, 1);
    for (const interrupt of this.#interrupts) interrupt();
    for (let left = Atomics.load(this.#flags, 0); left > 0; left = Atomics.load(this.#flags, 0)) {
      if (Atomics.wait(this.#flags, 0, left, longestNativeCallMs) === 'timed-out') return;
    }
  }
}

function createThread({ entry, waitAtExit }: ThreadProgram): SpareThread {
  const { port1: port, port2 } = new MessageChannel();
  const sent = new SharedArrayBuffer(4);
  const counter = new Int32Array(sent);
  const calls = new NativeCalls({ waitAtExit });
  const worker = new Worker(entry, {
    workerData: { port: port2, sent, calls: calls.shared } satisfies ThreadData,
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
    calls.forget();
    // What it said last is still on its way.
    for (let last = receiveMessageOnPort(port); last; last = receiveMessageOnPort(port)) hear(last.message);
    port.close();
    gone.resolve(
      new ServeError('engine_failure', "The model's thread ended.", {}, cause === undefined ? {} : { cause }),
    );
  };
  worker.once('error', end);
  worker.once('exit', () => end());
  const thread: EngineThread = {
    send(message) {
      if (!alive) return;
      // Before it hears of it: nothing may come between.
      if (message.type === 'library' || message.type === 'weights') calls.begin();
      port.postMessage(message);
      Atomics.add(counter, 0, 1);
      Atomics.notify(counter, 0);
    },
    listen(listener) {
      hear = listener;
      for (const message of early.splice(0)) listener(message);
    },
    interruptedBy: (interrupt) => calls.interruptedBy(interrupt),
    gone: gone.promise,
  };
  worker.unref();
  port.unref();
  return {
    entry: entry.href,
    thread,
    take() {
      worker.ref();
      port.ref();
      return thread;
    },
    discard: () => thread.send({ type: 'dispose' }),
  };
}
