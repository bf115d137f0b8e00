import { Batch } from '../../native/batch.ts';
import type { Context } from '../../native/context.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import { severalThreads, type ThreadPlan } from '../thread-plan.ts';
import type { StepMachine } from './step-batch.ts';

/** Steps on the native context: with the threads that suit the size of each batch. */
export class NativeSteps implements StepMachine {
  readonly batchSize: number;
  readonly outputs: number;
  readonly #context: Context;
  readonly #batch: Batch;
  readonly #pools: ThreadPools;
  readonly #threads: ThreadPlan;

  constructor(context: Context, pools: ThreadPools, threads: ThreadPlan) {
    this.batchSize = context.batchSize;
    this.outputs = context.outputs;
    this.#context = context;
    this.#batch = new Batch(context.library, context.batchSize);
    this.#pools = pools;
    this.#threads = threads;
  }

  clear(): void {
    this.#batch.clear();
  }

  add(token: number, position: number, sequence: number, output: boolean): number {
    return this.#batch.add(token, position, sequence, output);
  }

  decode() {
    const { single } = this.#threads;
    this.#context.useThreads(this.#pools, single, severalThreads(this.#threads, this.#batch.size));
    return this.#context.decode(this.#batch);
  }

  logits(place: number): Float32Array {
    return this.#context.logits(place);
  }

  free(): void {
    this.#batch.free();
  }
}
