import { type ChildProcess, fork } from 'node:child_process';
import { createDeferred, type Deferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Timers } from '../../contract/services.ts';
import { fromWire } from '../../contract/wire-error.ts';
import type { MediaLimits, Prepared } from '../prepared.ts';
import type { FromMedia, ToMedia } from './protocol.ts';

export interface MediaReaderOptions {
  /** The compiled file that calls `serveMedia`. */
  readonly entry: string;
  readonly timers: Timers;
  readonly limits: MediaLimits;
  /** Of one file, in milliseconds. */
  readonly fileMs?: number;
  /** How long the process stays without work. */
  readonly idleMs?: number;
}

interface Job {
  readonly task: ToMedia;
  readonly answer: Deferred<Prepared>;
}

/** A hundred times what an image of 40 million points takes on a quiet machine. */
const usualFileMs = 60_000;
const usualIdleMs = 60_000;
/** Of JavaScript: an image of 40 million points takes 120 MB of buffers besides. */
const heapMegabytes = 512;

/** What is to be read, and for whom. */
export type MediaFile = Pick<ToMedia, 'type' | 'file' | 'projector'>;

/**
 * Reads images and sounds in a process of its own, one at a time: whatever a file does to the library that decodes it ends
 * that process alone, and the next file gets a new one. It is started by the first file and ends when there are no more.
 */
export class MediaReader {
  readonly #options: MediaReaderOptions;
  readonly #queue: Job[] = [];
  #child: ChildProcess | undefined;
  #running: { readonly job: Job; readonly stop: () => void } | undefined;
  #leave: () => void = () => undefined;
  #ids = 0;
  #closed = false;

  constructor(options: MediaReaderOptions) {
    this.#options = options;
  }

  /** What stands in a prompt for this file. ServeError invalid_request. One that is being read is not stopped. */
  async read(given: MediaFile, signal?: AbortSignal): Promise<Prepared> {
    signal?.throwIfAborted();
    if (this.#closed) throw new ServeError('draining', 'The server stops.');
    const job: Job = {
      task: { ...given, id: ++this.#ids, limits: this.#options.limits },
      answer: createDeferred(),
    };
    const leave = () => {
      const place = this.#queue.indexOf(job);
      if (place >= 0) this.#queue.splice(place, 1);
      job.answer.reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    this.#queue.push(job);
    this.#next();
    try {
      return await job.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  close(): void {
    this.#closed = true;
    for (const { answer } of this.#queue.splice(0)) answer.reject(new ServeError('draining', 'The server stops.'));
    this.#child?.kill('SIGKILL');
  }

  #next(): void {
    if (this.#running) return;
    const job = this.#queue.shift();
    this.#leave();
    if (!job) {
      this.#leave = this.#options.timers.after(this.#options.idleMs ?? usualIdleMs, () => this.#child?.kill('SIGKILL'));
      return;
    }
    const child = this.#child ?? this.#start();
    const stop = this.#options.timers.after(this.#options.fileMs ?? usualFileMs, () => child.kill('SIGKILL'));
    this.#running = { job, stop };
    hold(child, true);
    child.send(job.task, () => undefined);
  }

  #start(): ChildProcess {
    const child = fork(this.#options.entry, [], {
      serialization: 'advanced',
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    this.#child = child;
    hold(child, false);
    child.on('message', (message: FromMedia) => {
      const running = this.#settle();
      if (!running || running.task.id !== message.id) return;
      if ('prepared' in message) running.answer.resolve(message.prepared);
      else running.answer.reject(fromWire(message.error));
      hold(child, false);
      this.#next();
    });
    const gone = () => {
      if (this.#child === child) this.#child = undefined;
      const running = this.#settle();
      const what = running?.task.type === 'audio' ? 'sound' : 'image';
      running?.answer.reject(
        new ServeError('invalid_request', `This ${what} could not be read: it took too long, or broke the reader.`),
      );
      this.#next();
    };
    child.once('error', gone);
    child.once('exit', gone);
    return child;
  }

  #settle(): Job | undefined {
    const running = this.#running;
    this.#running = undefined;
    running?.stop();
    return running?.job;
  }
}

/** While it works the server must not end for want of anything else to do. */
function hold(child: ChildProcess, held: boolean): void {
  for (const handle of [child, child.channel]) held ? handle?.ref() : handle?.unref();
}
