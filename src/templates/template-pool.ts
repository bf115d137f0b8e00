import { fileURLToPath } from 'node:url';
import { createDeferred, type Deferred } from '../contract/deferred.ts';
import { ServeError } from '../contract/errors.ts';
import type { Timers } from '../contract/services.ts';
import { fromWire } from '../contract/wire-error.ts';
import type { Answers, FromTemplates, Task, TemplateFacts } from './protocol.ts';
import { type StartProcess, type TemplateProcess, templateProcess } from './template-process.ts';

export interface PoolLimits {
  /** Of one task, in milliseconds. */
  readonly taskMs: number;
  /** Of the process while it works, in bytes. */
  readonly memory: number;
  /** How long a task may be waited for until another process is started beside it. */
  readonly patienceMs: number;
  readonly processes: number;
  /** How long a process beside the first one stays without work. */
  readonly idleMs: number;
}

export interface PoolTools {
  readonly start: StartProcess;
  readonly timers: Timers;
  readonly limits?: Partial<PoolLimits>;
}

/** None is started before it is wanted. `entry`: the compiled file that calls `serveTemplates`. */
export function createTemplatePool(entry: URL, timers: Timers): TemplatePool {
  return new TemplatePool({ start: templateProcess(fileURLToPath(entry)), timers });
}

const usualLimits: PoolLimits = {
  // A conversation of 10,000 messages takes 0.6 s.
  taskMs: 10_000,
  memory: 2 * 2 ** 30,
  patienceMs: 500,
  processes: 3,
  idleMs: 30_000,
};

const watchEveryMs = 100;

interface Job {
  readonly task: Task;
  readonly answer: Deferred<Answers[Task['type']]>;
}

interface Worker {
  readonly process: TemplateProcess;
  ready: boolean;
  /** Facts that it has examined. */
  readonly knows: Set<string>;
  job: { readonly id: number; readonly job: Job; readonly stop: () => void } | undefined;
  leave: () => void;
}

/**
 * Processes that run models' templates, one task each at a time. A template that never ends, takes the memory or crashes
 * its engine loses its task and its process, nothing else: whoever waits behind it goes to another one.
 */
export class TemplatePool {
  readonly #tools: PoolTools;
  readonly #limits: PoolLimits;
  readonly #workers = new Set<Worker>();
  readonly #queue: Job[] = [];
  readonly #facts = new Map<string, TemplateFacts>();
  #ids = 0;
  #keys = 0;
  #closed = false;
  #impatient: (() => void) | undefined;

  constructor(tools: PoolTools) {
    this.#tools = tools;
    this.#limits = { ...usualLimits, ...tools.limits };
  }

  /** So that the first task need not wait for a process. */
  warm(): void {
    if (this.#workers.size === 0 && !this.#closed) this.#start();
  }

  /** Throws what the templates threw, or invalid_request with what the limits say. A task that runs is not stopped. */
  async run<Given extends Task>(task: Given, signal?: AbortSignal): Promise<Answers[Given['type']]>;
  async run(task: Task, signal?: AbortSignal): Promise<Answers[Task['type']]> {
    signal?.throwIfAborted();
    const job: Job = { task, answer: createDeferred() };
    const leave = () => {
      const place = this.#queue.indexOf(job);
      if (place >= 0) this.#queue.splice(place, 1);
      job.answer.reject(signal?.reason);
    };
    signal?.addEventListener('abort', leave, { once: true });
    if (task.type === 'examine') this.#facts.set(task.key, task.facts);
    this.#queue.push(job);
    this.#next();
    try {
      return await job.answer.promise;
    } finally {
      signal?.removeEventListener('abort', leave);
    }
  }

  /** A name for facts that are examined for somebody. */
  newKey(): string {
    return String(++this.#keys);
  }

  /** Nobody renders with these facts any more. */
  forget(key: string): void {
    this.#facts.delete(key);
    for (const { process, knows } of this.#workers) if (knows.delete(key)) process.send({ forget: key });
  }

  /** What still runs fails. */
  close(): void {
    this.#closed = true;
    this.#impatient?.();
    for (const job of this.#queue.splice(0)) job.answer.reject(closed());
    for (const { process } of this.#workers) process.kill();
  }

  /** Gives the first of the queue to a process that is free, or to a new one when the others take too long. */
  #next(): void {
    if (this.#closed) for (const job of this.#queue.splice(0)) job.answer.reject(closed());
    for (;;) {
      const [job] = this.#queue;
      if (!job) return;
      const free =
        [...this.#workers].find((worker) => !worker.job) ?? (this.#workers.size === 0 ? this.#start() : undefined);
      if (!free) break;
      this.#queue.shift();
      this.#begin(free, job);
    }
    if (this.#workers.size >= this.#limits.processes) return;
    this.#impatient ??= this.#tools.timers.after(this.#limits.patienceMs, () => {
      this.#impatient = undefined;
      const job = this.#queue.shift();
      if (job) this.#begin(this.#start(), job);
      this.#next();
    });
  }

  #start(): Worker {
    const worker: Worker = {
      process: this.#tools.start((message) => this.#take(worker, message)),
      ready: false,
      knows: new Set(),
      job: undefined,
      leave: () => undefined,
    };
    this.#workers.add(worker);
    void worker.process.gone.then((words) => this.#ended(worker, words));
    return worker;
  }

  #begin(worker: Worker, job: Job): void {
    worker.leave();
    const { process } = worker;
    const { task } = job;
    const id = ++this.#ids;
    const { taskMs } = this.#limits;
    const cancel = this.#tools.timers.after(taskMs, () => this.#end(worker, tooLong(task, taskMs)));
    worker.job = { id, job, stop: cancel };
    this.#watch(worker, id);
    process.hold(true);
    if (task.type === 'render') this.#tell(worker, task.key);
    if (task.type === 'examine') worker.knows.add(task.key);
    process.send({ id, task });
  }

  /** Looks at the memory of a process as long as it has this task. */
  #watch(worker: Worker, id: number): void {
    this.#tools.timers.after(watchEveryMs, () => {
      if (worker.job?.id !== id) return;
      void worker.process.memory().then((bytes = 0) => {
        if (worker.job?.id !== id) return;
        const { memory } = this.#limits;
        if (bytes > memory) this.#end(worker, tooMuchMemory(worker.job.job.task, memory));
        else this.#watch(worker, id);
      });
    });
  }

  /** A process that has not examined these facts yet does so first; its answer is known already. */
  #tell(worker: Worker, key: string): void {
    const facts = this.#facts.get(key);
    if (!facts || worker.knows.has(key)) return;
    worker.knows.add(key);
    worker.process.send({ id: 0, task: { type: 'examine', key, facts } });
  }

  #take(worker: Worker, message: FromTemplates): void {
    const current = worker.job;
    if ('ready' in message) worker.ready = true;
    if ('ready' in message || !current || message.id !== current.id) return;
    this.#settle(worker);
    if ('error' in message) current.job.answer.reject(fromWire(message.error));
    else current.job.answer.resolve(message.answer);
    worker.leave = this.#tools.timers.after(this.#limits.idleMs, () => {
      if (this.#workers.size > 1) this.#let(worker);
    });
    this.#next();
  }

  #settle(worker: Worker): void {
    worker.job?.stop();
    worker.job = undefined;
    worker.process.hold(false);
  }

  /** The task has overdrawn: its process ends with it. */
  #end(worker: Worker, error: ServeError): void {
    const job = worker.job?.job;
    this.#settle(worker);
    this.#let(worker);
    job?.answer.reject(error);
    this.#next();
  }

  #let(worker: Worker): void {
    this.#workers.delete(worker);
    worker.leave();
    worker.process.kill();
  }

  #ended(worker: Worker, words: string): void {
    const job = worker.job?.job;
    this.#settle(worker);
    worker.leave();
    this.#workers.delete(worker);
    if (this.#closed) job?.answer.reject(closed());
    else job?.answer.reject(worker.ready ? crashed(job.task, words) : notStarted(words));
    this.#next();
  }
}

const instead = 'Give the model another one with --chat-template-file.';

function refusal(task: Task, what: string, cause?: string): ServeError {
  const about = task.type === 'render' ? { param: 'messages' } : {};
  const when = task.type === 'render' ? 'with these messages' : 'when it was tried';
  return new ServeError(
    'invalid_request',
    `The model's chat template ${what} ${when}. ${instead}`,
    about,
    cause === undefined ? {} : { cause },
  );
}

function tooLong(task: Task, milliseconds: number): ServeError {
  return refusal(task, `was not done within ${milliseconds / 1000} seconds`);
}

function tooMuchMemory(task: Task, bytes: number): ServeError {
  return refusal(task, `took more than ${Math.round(bytes / 1e9)} GB of memory`);
}

function crashed(task: Task, words: string): ServeError {
  return refusal(task, 'crashed the engine that renders it', words);
}

function notStarted(words: string): ServeError {
  return new ServeError('engine_failure', 'The process for chat templates could not be started.', {}, { cause: words });
}

function closed(): ServeError {
  return new ServeError('engine_failure', 'The server stops.');
}
