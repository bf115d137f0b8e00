import type { Context } from '../../native/context.ts';
import { type Positions, positionsOfGrid, RowBatch } from '../../native/row-batch.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import type { JobMedium } from '../engine.ts';
import type { StepPacer } from '../step-pacer.ts';
import { severalThreads, type ThreadPlan } from '../thread-plan.ts';
import type { AdapterTurns } from './adapter-turns.ts';
import type { MediaDesk } from './media-desk.ts';
import type { LoopRun } from './run.ts';
import type { Slot } from './slot.ts';

export interface MediaStepsOptions {
  readonly context: Context;
  readonly desk: MediaDesk;
  readonly slots: readonly Slot[];
  readonly pools: ThreadPools;
  readonly threads: ThreadPlan;
  readonly pacer: StepPacer;
  readonly turns: AdapterTurns;
  readonly rowWidth: number;
  /** Rows of an image that see each other and go at once; 0: they see only those before them, as a sound's always do. */
  readonly together: number;
  readonly positions: Positions;
  /** Most rows of one tile of an image, or of one piece of a sound. */
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
  readonly medium: JobMedium;
}

/**
 * Media between the steps of tokens: a batch takes tokens or rows, not both. At most one piece of encoding or one decode
 * of rows at a time, so that running streams go on.
 */
export class MediaSteps {
  readonly #options: MediaStepsOptions;
  readonly #batch: RowBatch;

  constructor(options: MediaStepsOptions) {
    const { context, rowWidth: width, positions, together, mostRows } = options;
    this.#options = options;
    const capacity = Math.min(context.batchSize, mostRows);
    if (capacity < together) throw new Error(`${together} rows that see each other do not fit a batch.`);
    this.#batch = new RowBatch(context.library, { capacity, width, positions });
  }

  /** The run whose medium comes next; the one that has begun first. */
  get due(): Due | undefined {
    const due = this.#options.slots.flatMap((slot) => {
      const medium = slot.run?.mediumDue;
      return slot.run && medium ? [{ slot, run: slot.run, medium }] : [];
    });
    return due.find(({ medium }) => this.#options.desk.hasBegun(medium)) ?? due[0];
  }

  /** undefined: the medium is not encoded yet, or its decode was interrupted. */
  advance({ slot, run, medium }: Due, othersWait: boolean): EvaluatedRows | undefined {
    const values = this.#options.desk.rowsOf(medium, othersWait);
    if (!values) return undefined;
    const before = slot.tokens.length;
    const from = before - medium.start;
    const causal = this.#options.together === 0 || isSound(medium);
    const rows = Math.min(medium.rows - from, this.#mostRows(causal));
    const place = run.waiting === rows ? rows - 1 : undefined;
    const { context, pools, threads, turns, rowWidth } = this.#options;
    this.#batch.fill(values.subarray(from * rowWidth, (from + rows) * rowWidth), {
      positions: this.#positions(slot.positionOf(medium.start), medium, from, rows),
      sequence: slot.id,
      output: place !== undefined,
    });
    turns.next([slot.adapters]);
    context.useThreads(pools, threads.single, severalThreads(threads, rows));
    const outcome = context.decodeRows(this.#batch, causal);
    if (outcome === 'full') throw new Error('The context had no room for an image or a sound.');
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
  #mostRows(causal: boolean): number {
    const { pacer, slots } = this.#options;
    if (!causal) return this.#batch.capacity;
    const decoding = slots.filter(({ run }) => run && !run.prefilling).length;
    return Math.min(this.#batch.capacity, pacer.budget(decoding));
  }

  /**
   * On a grid: time, line, column and nothing, one after the other for all rows. Rows of an image have the same time; those
   * of a sound have their own, in all four.
   */
  #positions(start: number, { columns }: JobMedium, from: number, rows: number): Int32Array {
    const each = (position: (row: number) => number) => Array.from({ length: rows }, (_, at) => position(from + at));
    if (this.#options.positions === 'line') return Int32Array.from(each((row) => start + row));
    const places =
      columns === undefined
        ? Array.from({ length: positionsOfGrid }, () => each((row) => start + row))
        : [
            each(() => start),
            each((row) => start + Math.floor(row / columns)),
            each((row) => start + (row % columns)),
            each(() => 0),
          ];
    return Int32Array.from(places.flat());
  }
}

function isSound({ tile }: JobMedium): boolean {
  return 'bands' in tile;
}
