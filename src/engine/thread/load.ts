import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import { openLibrary } from '../../native/open-library.ts';
import { HeldModel } from '../../native/shared-model.ts';
import { buildEngine } from '../build-engine.ts';
import type { TokenText } from '../engine.ts';
import type { LoadedEngine, LoadOptions } from '../load-options.ts';
import { describeModel, type ModelDescription } from '../remote/model-description.ts';
import {
  type ContextOptions,
  type FromLoop,
  fromWire,
  type LoadedFacts,
  type LoadedWeights,
  type StepMessage,
  toWire,
} from '../remote/protocol.ts';
import type { RemoteEngine } from '../remote/remote-engine.ts';
import { stateFingerprint } from '../state-fingerprint.ts';
import { createTokenText } from '../token-text.ts';
import { tuningKey } from '../tuning-key.ts';
import { type EarlyWeights, loadingThread } from './early-weights.ts';
import type { EngineThread, ThreadProgram } from './engine-thread.ts';

export interface ThreadLoadOptions extends LoadOptions, ThreadProgram {
  /** Of this file, perhaps; they began to load when the program started. */
  readonly early?: EarlyWeights;
}

export const yieldToEventLoop = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Loads the model in a thread of its own. The server's thread keeps its vocabulary and never waits for native code. */
export async function loadModel(options: ThreadLoadOptions): Promise<LoadedEngine> {
  const loading = await loadWeights(options);
  try {
    const { thread, weights } = loading;
    const { loaded, remote } = buildEngine({
      ...(await openContext(loading, options)),
      weights,
      send: (message) => thread.channel.send(message),
      interrupt: () => loading.interrupt(),
      end: () => loading.end(),
      onStep: options.onStep,
      placement: options.placement,
    });
    thread.serve(remote, options.onFailure);
    return loaded;
  } catch (error) {
    await loading.end();
    throw error;
  }
}

/** A thread with its weights, and what this thread holds of them. */
export interface LoadingModel {
  readonly thread: LoadingThread;
  readonly weights: LoadedWeights;
  readonly held: HeldModel;
  /** Ends the decode under way, where that can be done. */
  interrupt(): void;
  /** Lets go here and there; settles when the thread is gone. */
  end(): Promise<void>;
}

export async function loadWeights(
  options: Pick<
    ThreadLoadOptions,
    keyof Parameters<typeof loadingThread>[0] | keyof ThreadProgram | 'early' | 'signal' | 'onProgress'
  >,
): Promise<LoadingModel> {
  options.signal.throwIfAborted();
  const thread = new LoadingThread(options.early?.take(options) ?? loadingThread(options, options));
  thread.onProgress = options.onProgress;
  const weights = await thread.wait(thread.weights, options.signal);
  const held = new HeldModel(openLibrary(options.library, { verbose: options.verbose ?? false }), weights.shared);
  const raise = () => held.interrupt.raise();
  const letGo = thread.channel.interruptedBy(raise);
  return {
    thread,
    weights,
    held,
    interrupt() {
      // Elsewhere than on the CPU nobody looks at it.
      if (weights.gpus.length === 0 && !held.freed) raise();
    },
    async end() {
      letGo();
      if (!held.freed) {
        raise();
        held.free();
      }
      await thread.dispose();
    },
  };
}

export interface OpenedContext {
  readonly facts: LoadedFacts;
  readonly description: ModelDescription;
  readonly text: TokenText;
  readonly fingerprint: string;
}

/** Slots and step loop on the weights, measured first where nothing is remembered. */
export async function openContext(
  { thread, weights, held }: LoadingModel,
  asked: ThreadLoadOptions,
): Promise<OpenedContext> {
  const { tuningCache, path, library } = asked;
  const options = { ...asked, ...asked.fitting };
  const contextSize = options.contextSize ?? weights.facts.trainedContextSize;
  // By what was asked for: how much memory there is just now must not make a start measure again.
  const key = tuningKey(asked, weights.facts.size);
  thread.onCalibrate = options.onCalibrate;
  thread.channel.send({ type: 'context', options: contextOptions(options, contextSize, tuningCache?.read(key)) });
  // Meanwhile: it asks about every token of the vocabulary.
  const description = describeModel(held.vocabulary, weights, { mostVectorTokens: undefined });
  const facts = await thread.wait(thread.loaded, options.signal);
  if (facts.steady) tuningCache?.write(key, facts.tuning);
  const shape = [library.llama, facts.contextSize, facts.tuning.flashAttention];
  return {
    facts,
    description,
    text: createTokenText({ vocabulary: held.vocabulary, yieldToEventLoop }),
    fingerprint: await stateFingerprint(path, shape),
  };
}

/** What is asked of the context, as the thread is told it. */
export function contextOptions(
  options: Omit<LoadOptions, 'clock' | 'signal' | 'onProgress' | 'onFailure'>,
  contextSize: number,
  remembered: ContextOptions['remembered'],
): ContextOptions {
  return {
    contextSize,
    slots: options.slots,
    batchSize: options.batchSize,
    microBatchSize: options.microBatchSize,
    threads: options.threads,
    promptThreads: options.promptThreads,
    pool: options.pool ?? {},
    flashAttention: options.flashAttention,
    keyType: options.keyType,
    valueType: options.valueType,
    unified: options.unified,
    fullWindows: options.fullWindows,
    rope: options.rope,
    speculation: options.speculation,
    stepTargetMs: options.stepTargetMs,
    projector: options.projector,
    remembered,
  };
}

/** What a thread says while it loads, and who hears it afterwards. */
class LoadingThread {
  readonly channel: EngineThread;
  onProgress: (fraction: number) => void = () => undefined;
  onCalibrate: (() => void) | undefined;
  readonly #weights = createDeferred<LoadedWeights>();
  readonly #loaded = createDeferred<LoadedFacts>();
  #remote: RemoteEngine | undefined;
  #onFailure: (error: unknown) => void = () => undefined;
  #ending = false;

  constructor(channel: EngineThread) {
    this.channel = channel;
    channel.listen((message) => this.#hear(message));
    for (const waited of [this.#weights, this.#loaded]) waited.promise.catch(() => undefined);
    void channel.gone.then((error) => this.#fail(error));
  }

  get weights(): Promise<LoadedWeights> {
    return this.#weights.promise;
  }

  get loaded(): Promise<LoadedFacts> {
    return this.#loaded.promise;
  }

  /** Ends the thread when the signal does. */
  async wait<Result>(result: Promise<Result>, signal: AbortSignal): Promise<Result> {
    const aborted = createDeferred<never>();
    const abort = () => aborted.reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    try {
      return await Promise.race([result, aborted.promise]);
    } catch (error) {
      // Its memory is free before somebody tries again.
      await this.dispose();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  /** Somebody else hears what the thread says from now on. */
  handOn(hear: (message: FromLoop) => void): void {
    this.channel.listen(hear);
    void this.channel.gone.then((error) => {
      if (!this.#ending) hear({ type: 'failed', error: toWire(error) });
    });
  }

  serve(remote: RemoteEngine, onFailure: (error: unknown) => void): void {
    this.#remote = remote;
    this.#onFailure = onFailure;
  }

  async dispose(): Promise<void> {
    this.#ending = true;
    this.channel.send({ type: 'dispose' });
    await this.channel.gone;
  }

  #hear(message: FromLoop): void {
    switch (message.type) {
      case 'progress':
        this.onProgress(message.fraction);
        return;
      case 'calibrate':
        this.onCalibrate?.();
        return;
      case 'weights-loaded':
        this.#weights.resolve(message.weights);
        return;
      case 'loaded':
        this.#loaded.resolve(message.facts);
        return;
      case 'load-failed':
        this.#weights.reject(fromWire(message.error));
        this.#loaded.reject(fromWire(message.error));
        return;
      case 'failed':
        this.#fail(new ServeError('engine_failure', 'The model failed.', {}, { cause: fromWire(message.error) }));
        return;
      case 'ended':
        return;
      default:
        this.#remote?.take(message satisfies StepMessage | Extract<FromLoop, { type: 'answer' | 'refusal' }>);
    }
  }

  #fail(error: ServeError): void {
    this.#weights.reject(error);
    this.#loaded.reject(error);
    const remote = this.#remote;
    if (!remote) return;
    this.#remote = undefined;
    remote.close(this.#ending ? unloaded() : error);
    if (!this.#ending) this.#onFailure(error);
  }
}

function unloaded(): ServeError {
  return new ServeError('engine_failure', 'The model was unloaded while this request was running.');
}
