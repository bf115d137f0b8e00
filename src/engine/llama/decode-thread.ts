import { execFileSync } from 'node:child_process';
import { constants, fstat, mkdtempSync, openSync, read, readFileSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import type { Timers } from '../../contract/services.ts';
import { systemTimers } from '../../contract/system-timers.ts';

export interface DecodeThreadOptions {
  /** A descriptor to read and write. */
  readonly pipe: number;
  /** How many pool threads may have to wait; 0: none ever does. */
  readonly others: number;
  readonly timers: Timers;
}

/**
 * Longer than a step: 512 prompt tokens take a small model on 2 cores 3 seconds, and every false alarm costs the one
 * thread for a while (seen with 2 seconds: half the tokens a second behind a prompt of 2,000).
 */
const patienceMs = 10_000;
const shortestPauseMs = 10_000;
const longestPauseMs = 600_000;

/**
 * Keeps native steps on one and the same thread of libuv's pool while a model on the CPU is busy, by letting the pool's
 * other threads wait in a read of an empty pipe.
 *
 * Why: the prebuilt library starts ggml's workers anew for every graph, from the pool thread that decodes. With several
 * pool threads taking turns, the kernel often puts the worker on the core of its starter, where the two spin against
 * each other at every barrier until the next balancing. Measured on 2 cores with 2 ggml threads, tokens a second of the
 * bare loop with 4 / 2 / 1 free pool threads: 24 layers and one stream 40 / 48 / 77, four streams 105 / - / 130;
 * 2 layers and four streams 420 / - / 1,240. A model on one ggml thread gains 4 to 20 % from the warm core. And work that
 * is queued on one thread ends in its order, so that sampling can be queued behind the decode, see startStep.
 *
 * The price: whatever else uses the pool (files, name lookups) waits for the step in flight. Work that takes a pool
 * thread for longer, such as loading another model, runs inside `lend`. An operation that does not end (a disk or a file
 * server that hangs, a name server that does not answer) would take the only thread and stop every stream: so while
 * threads wait here the pool is asked for a sign of life, and without one in ten seconds all are let go for a while.
 */
export class DecodeThread {
  readonly #others: number;
  readonly #pipe: number;
  #waiting = 0;
  #holders = 0;
  #borrowers = 0;
  /** Work under way that was queued in trust of `inOrder`. */
  #trusting = 0;
  readonly #timers: Timers;
  #stopWatching: (() => void) | undefined;
  #stuck = false;
  #pauseMs = shortestPauseMs;

  constructor({ pipe, others, timers }: DecodeThreadOptions) {
    this.#pipe = pipe;
    this.#others = others;
    this.#timers = timers;
  }

  /** From now on until the returned function is called, one pool thread does all the work. */
  hold(): () => void {
    let held = true;
    this.#holders++;
    this.#settle();
    return () => {
      if (!held) return;
      held = false;
      this.#holders--;
      this.#settle();
    };
  }

  /**
   * Whether all native work queued now runs on one thread, so that it starts and ends in its order: the waiting reads
   * lie before it in the pool's queue and keep every thread but one.
   */
  get inOrder(): boolean {
    return this.#others > 0 && this.#waiting === this.#others && this.#borrowers === 0 && !this.#stuck;
  }

  /** Keeps the order until this work, which was queued in trust of it, has settled. */
  keepOrder(work: Promise<unknown>): void {
    this.#trusting++;
    const settled = () => {
      this.#trusting--;
      this.#settle();
    };
    work.then(settled, settled);
  }

  /** The whole pool is free while this runs, but for the end of a step under way. */
  async lend<Result>(work: () => Promise<Result>): Promise<Result> {
    this.#borrowers++;
    this.#settle();
    try {
      return await work();
    } finally {
      this.#borrowers--;
      this.#settle();
    }
  }

  #settle(): void {
    if (this.#holders > 0 && this.#borrowers === 0 && !this.#stuck) this.#park();
    else if (this.#trusting === 0) this.#release();
  }

  #park(): void {
    if (this.#waiting === this.#others) return;
    // At its end Node.js waits for the pool's threads.
    if (this.#waiting === 0) process.once('exit', this.#release);
    for (; this.#waiting < this.#others; this.#waiting++) read(this.#pipe, Buffer.alloc(1), 0, 1, null, ignore);
    this.#watch();
  }

  #watch(): void {
    let alive = false;
    fstat(this.#pipe, () => {
      alive = true;
    });
    this.#stopWatching = this.#timers.after(patienceMs, () => {
      if (!alive) return this.#pause();
      this.#pauseMs = shortestPauseMs;
      this.#watch();
    });
  }

  /** Nothing tells when the thread comes back, if ever: each attempt may cost the patience, so they become rare. */
  #pause(): void {
    this.#stuck = true;
    // One thread, not all: a step that waits behind what hangs still runs in its order.
    if (this.#trusting > 0) this.#letGo(1);
    this.#settle();
    this.#timers.after(this.#pauseMs, () => {
      this.#stuck = false;
      this.#settle();
    });
    this.#pauseMs = Math.min(longestPauseMs, this.#pauseMs * 2);
  }

  readonly #release = (): void => {
    if (this.#waiting === 0) return;
    this.#stopWatching?.();
    process.off('exit', this.#release);
    this.#letGo(this.#waiting);
  };

  /** One byte lets one thread go. */
  #letGo(threads: number): void {
    writeSync(this.#pipe, Buffer.alloc(threads));
    this.#waiting -= threads;
  }
}

const ignore = () => undefined;

let opened: DecodeThread | undefined;

/** The process has one pool, so it has one of these. Where it cannot be, all threads stay free: slower, nothing else. */
export function decodeThread(): DecodeThread {
  opened ??= new DecodeThread({ ...openPipe(), timers: systemTimers });
  return opened;
}

const claim = Symbol.for('serve-model.decode-thread');
const nothing = { pipe: -1, others: 0 };

function openPipe(): { pipe: number; others: number } {
  // Two that do not know of each other, in a second copy of this module or in a worker, could take all threads together.
  if (process.platform !== 'linux' || !isMainThread || Reflect.has(globalThis, claim)) return nothing;
  const others = poolSize() - 1;
  if (others < 1) return nothing;
  try {
    const pipe = openNamelessPipe();
    Reflect.set(globalThis, claim, true);
    return { pipe, others };
  } catch {
    // No mkfifo, no folder to write to.
    return nothing;
  }
}

const defaultPoolSize = 4;

/** libuv reads the variable once, at first use. Set later it would lie, and more threads than there are would wait. */
function poolSize(): number {
  const name = 'UV_THREADPOOL_SIZE';
  const atStart = readFileSync('/proc/self/environ', 'utf8')
    .split('\0')
    .find((variable) => variable.startsWith(`${name}=`));
  const now = process.env[name];
  if (atStart?.slice(name.length + 1) !== now) return 0;
  return now === undefined ? defaultPoolSize : Number(now) || 1;
}

/** Nobody else can open it. */
function openNamelessPipe(): number {
  const folder = mkdtempSync(join(tmpdir(), 'serve-model-'));
  try {
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
    return openSync(path, constants.O_RDWR);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
