import { ServeError } from '../../contract/errors.ts';
import type { Clock } from '../../contract/services.ts';
import { type LoadedModel, loadModel } from '../llama/load.ts';
import { nativeModel } from '../llama/native.ts';
import type { SoundLibraries } from '../llama/prebuilt-library.ts';
import { readTokenTable } from '../llama/token-table.ts';
import type { TuningMemory } from '../llama/tune.ts';
import { Answers } from './answers.ts';
import { Outbox } from './outbox.ts';
import {
  type ChildLoadOptions,
  type LoadedFacts,
  type RunEnd,
  type ToChild,
  type ToParent,
  toWire,
  type WireJob,
} from './protocol.ts';

/** The child's end of the channel. */
export interface ChildPort {
  send(message: ToParent): void;
  /** Ends the process when everything is sent. */
  end(): void;
}

export interface ChildTools {
  readonly clock: Clock;
  readonly openTuningMemory: (path: string) => TuningMemory;
  readonly sound?: SoundLibraries;
}

interface ServedRun {
  readonly abort: AbortController;
  pause(): void;
  resume(): void;
}

/** The engine's process: loads one model and does what the parent says. Returns what takes the parent's messages. */
export function serveEngine(port: ChildPort, tools: ChildTools): (message: ToChild) => void {
  let served: ServedModel | undefined;
  const load = async (options: ChildLoadOptions) => {
    try {
      const loaded = await loadForParent(options, port, tools, {
        onStep: (report) => served?.outbox.add('reports', report),
        onFailure: (error) => served?.failed(error),
      });
      const vectors = loaded.openVectors();
      served = new ServedModel(loaded, vectors, port);
      port.send({ type: 'loaded', facts: factsOf(loaded, vectors) });
    } catch (error) {
      port.send({ type: 'load-failed', error: toWire(error) });
    }
  };
  return (message) => {
    switch (message.type) {
      case 'load':
        void load(message.options);
        return;
      case 'dispose':
        if (served) void served.dispose();
        else port.end();
        return;
      default:
        served?.take(message);
    }
  };
}

function loadForParent(
  { tuningFile, ...options }: ChildLoadOptions,
  port: ChildPort,
  { clock, openTuningMemory, sound }: ChildTools,
  callbacks: Pick<Parameters<typeof loadModel>[0], 'onStep' | 'onFailure'>,
): Promise<LoadedModel> {
  return loadModel({
    ...options,
    ...callbacks,
    clock,
    // A load that nobody wants any more ends with the process.
    signal: new AbortController().signal,
    onProgress: (fraction) => port.send({ type: 'progress', fraction }),
    onCalibrate: () => port.send({ type: 'calibrate' }),
    onNativeLog: (level, message) => port.send({ type: 'log', level, message }),
    ...(sound && { sound }),
    ...(tuningFile !== undefined && { tuningMemory: openTuningMemory(tuningFile) }),
  });
}

type Vectors = ReturnType<LoadedModel['openVectors']>;

function factsOf(loaded: LoadedModel, { embedder, ranker }: Vectors): LoadedFacts {
  const { engine, model, vocabulary, trainedContextSize, embeddingSize, parameters, tuning } = loaded;
  const { slots, contextSize, batchSize, vocabularySize, device } = engine.info;
  return {
    info: { slots, contextSize, batchSize, vocabularySize, device, processId: process.pid },
    tokens: readTokenTable(nativeModel(model), vocabularySize),
    vocabulary,
    trainedContextSize,
    embeddingSize,
    parameters,
    tuning,
    stats: engine.stats(),
    snapshots: engine.snapshots && { fingerprint: engine.snapshots.files?.fingerprint },
    embedder: { dimensions: embedder.dimensions, pooling: embedder.pooling, maxTokens: embedder.maxTokens },
    ranker: ranker && { maxTokens: ranker.maxTokens },
  };
}

class ServedModel {
  readonly outbox: Outbox;
  readonly #port: ChildPort;
  readonly #loaded: LoadedModel;
  readonly #answers: Answers;
  readonly #runs = new Map<number, ServedRun>();

  constructor(loaded: LoadedModel, vectors: Vectors, port: ChildPort) {
    this.#port = port;
    this.#loaded = loaded;
    this.outbox = new Outbox(
      () => loaded.engine,
      (message) => port.send(message),
    );
    this.#answers = new Answers({ loaded, vectors, outbox: this.outbox }, (message) => port.send(message));
  }

  take(message: Exclude<ToChild, { type: 'load' | 'dispose' }>): void {
    switch (message.type) {
      case 'run':
        this.#run(message.run, message.job);
        return;
      case 'abort':
        this.#runs.get(message.run)?.abort.abort(new ServeError('client_closed', 'The request was given up.'));
        return;
      case 'pause':
        this.#runs.get(message.run)?.pause();
        return;
      case 'resume':
        this.#runs.get(message.run)?.resume();
        return;
      case 'directives':
        this.outbox.replied(message.step, message.runs);
        return;
      case 'ask':
        void this.#answers.answer(message.id, message.question);
        return;
      case 'cancel':
        this.#answers.cancel(message.id);
        return;
      default:
        message satisfies never;
    }
  }

  /** Every run has failed and said so. */
  failed(error: unknown): void {
    // Their ends are told by promises: they come first.
    setImmediate(() => {
      this.outbox.flush();
      this.#port.send({ type: 'failed', error: toWire(error) });
    });
  }

  async dispose(): Promise<void> {
    await this.#answers.dispose();
    await this.#loaded.engine.dispose();
    this.outbox.flush();
    this.#port.end();
  }

  #run(run: number, { prompt, ...job }: WireJob): void {
    const { outbox } = this;
    const abort = new AbortController();
    try {
      const started = this.#loaded.engine.run({
        ...job,
        prompt: [...prompt],
        signal: abort.signal,
        onToken: () => ({ type: 'continue' }),
        onPromptLogprobs: (tokens) => outbox.add('promptLogprobs', { run, tokens }),
        remote: {
          admitted: (cachedTokens) => outbox.admitted(run, job.slot, cachedTokens),
          deliver: (tokens) => outbox.deliver(run, tokens),
        },
      });
      this.#runs.set(run, { abort, pause: () => started.pause(), resume: () => started.resume() });
      started.done.then(
        (result) => this.#ended({ run, result }),
        (error: unknown) => this.#ended({ run, error: toWire(error) }),
      );
    } catch (error) {
      this.#ended({ run, error: toWire(error) });
    }
  }

  #ended(end: RunEnd): void {
    this.#runs.delete(end.run);
    this.outbox.add('ended', end);
  }
}
