import type { Context } from '../../native/context.ts';
import { type Positions, positionsOfGrid, RowBatch } from '../../native/row-batch.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import type { JobImage } from '../engine.ts';
import type { StepPacer } from '../step-pacer.ts';
import { severalThreads, type ThreadPlan } from '../thread-plan.ts';
import type { AdapterTurns } from './adapter-turns.ts';
import type { ImageDesk } from './image-desk.ts';
import type { LoopRun } from './run.ts';
import type { Slot } from './slot.ts';

export interface ImageStepsOptions {
  readonly context: Context;
  readonly desk: ImageDesk;
  readonly slots: readonly Slot[];
  readonly pools: ThreadPools;
  readonly threads: ThreadPlan;
  readonly pacer: StepPacer;
  readonly turns: AdapterTurns;
  readonly rowWidth: number;
  /** Rows see only those before them. */
  readonly causal: boolean;
  readonly positions: Positions;
  /** Most rows of one image. */
  readonly mostRows: number;
}

/** Rows that were evaluated; `place`: where the batch's last output is, if the prompt ends there. */
export interface EvaluatedRows {
  readonly slot: Slot;
  readonly run: LoopRun;
  readonly rows: number;
  readonly place: number | undefined;
}

interface Due {
  readonly slot: Slot;
  readonly run: LoopRun;
  readonly image: JobImage;
}

/**
 * Images between the steps of tokens: a batch takes tokens or rows, not both. At most one piece of encoding or one decode
 * of rows at a time, so that running streams go on.
 */
export class ImageSteps {
  readonly #options: ImageStepsOptions;
  readonly #batch: RowBatch;

  constructor(options: ImageStepsOptions) {
    const { context, rowWidth: width, positions, causal, mostRows } = options;
    this.#options = options;
    const capacity = Math.min(context.batchSize, mostRows);
    if (!causal && capacity < mostRows) throw new Error(`${mostRows} rows that see each other do not fit a batch.`);
    this.#batch = new RowBatch(context.library, { capacity, width, positions });
  }

  /** The run whose image comes next; the one that has begun first. */
  get due(): Due | undefined {
    const due = this.#options.slots.flatMap((slot) => {
      const image = slot.run?.imageDue;
      return slot.run && image ? [{ slot, run: slot.run, image }] : [];
    });
    return due.find(({ image }) => this.#options.desk.hasBegun(image)) ?? due[0];
  }

  /** undefined: the image is not encoded yet, or its decode was interrupted. */
  advance({ slot, run, image }: Due, othersWait: boolean): EvaluatedRows | undefined {
    const values = this.#options.desk.rowsOf(image, othersWait);
    if (!values) return undefined;
    const before = slot.tokens.length;
    const from = before - image.start;
    const rows = Math.min(image.rows - from, this.#mostRows());
    const place = run.waiting === rows ? rows - 1 : undefined;
    const { context, pools, threads, turns, rowWidth, causal } = this.#options;
    this.#batch.fill(values.subarray(from * rowWidth, (from + rows) * rowWidth), {
      positions: this.#positions(slot.positionOf(image.start), image, from, rows),
      sequence: slot.id,
      output: place !== undefined,
    });
    turns.next([slot.adapters]);
    context.useThreads(pools, threads.single, severalThreads(threads, rows));
    const outcome = context.decodeRows(this.#batch, causal);
    if (outcome === 'full') throw new Error('The context had no room for an image.');
    if (outcome === 'interrupted') {
      const tokens = slot.tokens.slice(0, before);
      slot.recover(before);
      run.rewind(tokens, slot.tokens.length);
      return undefined;
    }
    slot.addRows(run.input.slice(run.position, run.position + rows));
    run.position += rows;
    return { slot, run, rows, place };
  }

  free(): void {
    this.#options.desk.free();
    this.#batch.free();
  }

  /** Rows that see each other go at once; others like a prompt's tokens. */
  #mostRows(): number {
    const { causal, pacer, slots } = this.#options;
    if (!causal) return this.#batch.capacity;
    const decoding = slots.filter(({ run }) => run && !run.prefilling).length;
    return Math.min(this.#batch.capacity, pacer.budget(decoding));
  }

  /** On a grid: time, line, column and nothing, one after the other for all rows; all have the same time. */
  #positions(start: number, { columns }: JobImage, from: number, rows: number): Int32Array {
    const each = (position: (row: number) => number) => Array.from({ length: rows }, (_, at) => position(from + at));
    if (this.#options.positions === 'line') return Int32Array.from(each((row) => start + row));
    const dimensions = [
      each(() => start),
      each((row) => start + Math.floor(row / columns)),
      each((row) => start + (row % columns)),
      each(() => 0),
    ];
    return Int32Array.from(dimensions.slice(0, positionsOfGrid).flat());
  }
}
