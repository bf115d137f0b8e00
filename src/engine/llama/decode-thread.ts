import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, read, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Keeps native steps on one and the same thread of libuv's pool while a model on the CPU is busy, by letting the pool's
 * other threads wait in a read of an empty pipe.
 *
 * Why: the prebuilt library starts ggml's workers anew for every graph, from the pool thread that decodes. With four
 * pool threads taking turns, the kernel often puts the worker on the core of its starter, where the two spin against
 * each other at every barrier until the next balancing. Measured on 2 cores with 2 ggml threads, tokens a second of the
 * bare loop with 4 / 2 / 1 free pool threads: 24 layers 40 / 48 / 77 with one stream, 115 / - / 135 with four; 2 layers
 * 51 / - / 453 with one, 420 / - / 1,320 with four. Decoding steps of twice the median time vanish.
 *
 * The price: whatever else uses the pool (files, name lookups) waits for the step in flight. Work that takes the pool
 * for longer, such as loading another model, runs inside `lend`.
 */
export class DecodeThread {
  readonly #others: number;
  #pipe: number | undefined | 'unavailable';
  #waiting = 0;
  #holders = 0;
  #borrowers = 0;

  /** `poolSize`: threads of libuv's pool. */
  constructor(poolSize: number) {
    this.#others = poolSize - 1;
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

  /** The whole pool is free while this runs. */
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
    if (this.#holders > 0 && this.#borrowers === 0) this.#park();
    else this.#release();
  }

  #park(): void {
    if (this.#waiting > 0 || this.#others < 1) return;
    this.#pipe ??= openPipe(() => this.#release());
    if (this.#pipe === 'unavailable') return;
    for (; this.#waiting < this.#others; this.#waiting++) {
      read(this.#pipe, Buffer.alloc(1), 0, 1, null, () => undefined);
    }
  }

  /** One byte lets one thread go. */
  #release(): void {
    if (typeof this.#pipe !== 'number' || this.#waiting === 0) return;
    writeSync(this.#pipe, Buffer.alloc(this.#waiting));
    this.#waiting = 0;
  }
}

const defaultPoolSize = 4;

/** The process has one pool, so it has one of these. */
export const decodeThread = new DecodeThread(Number(process.env['UV_THREADPOOL_SIZE']) || defaultPoolSize);

/** A pipe that nobody else can open. Only Linux needs it; without one, everything works, slower. */
function openPipe(onExit: () => void): number | 'unavailable' {
  if (process.platform !== 'linux') return 'unavailable';
  let folder: string | undefined;
  try {
    folder = mkdtempSync(join(tmpdir(), 'serve-model-'));
    const path = join(folder, 'pipe');
    execFileSync('mkfifo', ['-m', '600', path], { stdio: 'ignore' });
    const pipe = openSync(path, constants.O_RDWR);
    // At its end Node.js waits for the pool's threads.
    process.once('exit', () => {
      onExit();
      closeSync(pipe);
    });
    return pipe;
  } catch {
    return 'unavailable';
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
