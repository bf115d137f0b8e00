import { ServeError } from '../../contract/errors.ts';
import { Batch } from '../../native/batch.ts';
import { Context, type ContextParameters } from '../../native/context.ts';
import type { Model } from '../../native/model.ts';
import type { ThreadPools } from '../../native/thread-pools.ts';
import type { Answer, Question } from '../remote/protocol.ts';
import { VectorLine } from './vector-line.ts';
import { VectorTask } from './vector-task.ts';

type Wanted = Extract<Question, { about: 'embed' | 'rank' }>;

interface VectorDeskOptions {
  readonly model: Model;
  readonly pools: ThreadPools;
  /** undefined: the model's context is measured, the vectors' are not; then all cores. */
  readonly threads: number | undefined;
}

/** Tokens of a batch: what several short inputs share, at least one input of the longest kind. */
const batchTokens = 512;
const sequencesPerBatch = 32;

/**
 * Vectors and scores of a model, in contexts of their own that are made on first use. A caller's inputs share
 * batches; owners take turns, a batch each, and so do the running streams.
 */
export class VectorDesk {
  readonly #options: VectorDeskOptions;
  readonly #line = new VectorLine();
  readonly #contexts: { [About in Wanted['about']]?: VectorContext | undefined } = {};

  constructor(options: VectorDeskOptions) {
    this.#options = options;
  }

  ask(id: number, wanted: Wanted, tell: (answer: Answer) => void, refuse: (error: unknown) => void): void {
    const inputs = wanted.about === 'embed' ? wanted.inputs : wanted.pairs;
    const { about, owner } = wanted;
    const task = new VectorTask({ id, owner, about }, inputs, { tell, refuse });
    if (task.done) task.finish();
    else this.#line.add(task);
  }

  /** Nobody waits for the answer any more. */
  cancel(id: number): void {
    this.#line.remove(id)?.refuse(new ServeError('cancelled', 'The request was given up.'));
  }

  /** One batch of whose turn it is. False: nobody waits. */
  advance(): boolean {
    const task = this.#line.take();
    if (!task) return false;
    try {
      const context = this.#contextFor(task);
      task.take(context.evaluate(task.next(context.batchSize, sequencesPerBatch)));
      if (task.done) task.finish();
      else this.#line.add(task);
    } catch (error) {
      task.refuse(error);
    }
    return true;
  }

  free(): void {
    const gone = new ServeError('draining', 'The model is being unloaded.');
    for (const task of this.#line.clear()) task.refuse(gone);
    for (const context of Object.values(this.#contexts)) context?.free();
  }

  #contextFor({ about, longest }: VectorTask): VectorContext {
    const known = this.#contexts[about];
    if (known && known.batchSize >= longest) return known;
    // Both at once may be more than there is room for. Where the larger one does not fit, the next task makes its own.
    this.#contexts[about] = undefined;
    known?.free();
    const made = new VectorContext(this.#options, about, Math.max(longest, batchTokens));
    this.#contexts[about] = made;
    return made;
  }
}

/** A context whose batches hold whole inputs, each in a sequence of its own. */
class VectorContext {
  readonly batchSize: number;
  readonly #context: Context;
  readonly #batch: Batch;
  readonly #vectorSize: number;

  constructor({ model, pools, threads }: VectorDeskOptions, about: Wanted['about'], batchSize: number) {
    this.batchSize = batchSize;
    this.#context = createContext(model, { about, batchSize });
    this.#batch = new Batch(model.library, batchSize);
    this.#vectorSize = about === 'rank' ? 1 : model.facts().vectorSize;
    if (threads !== undefined) this.#context.useThreads(pools, threads, threads);
  }

  /** One vector for each input; of a score the only element. */
  evaluate(inputs: readonly Int32Array[]): readonly Float32Array[] {
    this.#batch.clear();
    for (const [sequence, tokens] of inputs.entries()) {
      for (const [position, token] of tokens.entries()) this.#batch.add(token, position, sequence, true);
    }
    try {
      if (this.#context.decode(this.#batch) !== 'done') throw new Error('The context had no room for the inputs.');
      return inputs.map((_, sequence) => this.#vectorOf(sequence));
    } finally {
      for (const sequence of inputs.keys()) this.#context.clear(sequence);
    }
  }

  #vectorOf(sequence: number): Float32Array {
    const vector = this.#context.sequenceVector(sequence, this.#vectorSize);
    if (!vector) throw new ServeError('not_implemented', 'This model gives no vector for a text.');
    if (vector.some(Number.isNaN)) {
      throw new ServeError('engine_failure', 'The model computed values that are no numbers: its file is damaged.');
    }
    return vector;
  }

  free(): void {
    this.#batch.free();
    this.#context.free();
  }
}

function createContext(model: Model, { about, batchSize }: { about: Wanted['about']; batchSize: number }): Context {
  const parameters: ContextParameters = {
    contextSize: batchSize,
    sequences: sequencesPerBatch,
    batchSize,
    microBatchSize: batchSize,
    outputs: batchSize,
    threads: 1,
    flashAttention: 'auto',
    unified: true,
    cells: batchSize,
    pooling: about === 'rank' ? 'rank' : poolingOf(model),
  };
  try {
    return Context.create(model, parameters);
  } catch (error) {
    throw new ServeError(
      'insufficient_memory',
      "The context for embeddings does not fit into this machine's memory. Use a smaller model, or load this one with --embeddings and a smaller --ctx-size.",
      {},
      { cause: error },
    );
  }
}

/** The file's own, or that of the last token where it has none or is for ranking. */
function poolingOf(model: Model): 'mean' | 'cls' | 'last' {
  const named = model.metadata(`${model.metadata('general.architecture')}.pooling_type`);
  if (named === '1') return 'mean';
  return named === '2' ? 'cls' : 'last';
}
