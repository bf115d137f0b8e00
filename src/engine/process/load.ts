import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Timers } from '../../contract/services.ts';
import { type LoadedEngine, type LoadOptions, templateCompiler } from '../llama/load.ts';
import { openLlama } from '../llama/open-llama.ts';
import { type ChildProgram, type EngineChild, forkEngine } from './fork.ts';
import { ProcessEngine } from './process-engine.ts';
import { type ChildLoadOptions, fromWire, type LoadedFacts, type ToParent } from './protocol.ts';
import { createProcessVectors } from './vectors.ts';

export interface ProcessLoadOptions
  extends ChildLoadOptions,
    ChildProgram,
    Pick<LoadOptions, 'signal' | 'onProgress' | 'onStep' | 'onFailure' | 'onCalibrate' | 'onNativeLog'> {
  readonly timers: Timers;
}

/** A child that does not end by itself within this time is killed. */
const endWithinMs = 10_000;

/**
 * Loads the model in a process of its own, behind the same interface: a native crash ends that process alone. Then
 * whoever runs on it fails with engine_failure, and `onFailure` is called. Templates are compiled here, on the CPU's
 * library: they need no model.
 */
export async function loadModelInProcess(options: ProcessLoadOptions): Promise<LoadedEngine> {
  const { signal } = options;
  signal.throwIfAborted();
  const compileTemplate = templateCompiler(
    await openLlama({ gpu: 'off', ...(options.onNativeLog && { onNativeLog: options.onNativeLog }) }),
  );
  const loading = createDeferred<LoadedFacts>();
  let running: ProcessEngine | undefined;
  let ending = false;

  const child = forkEngine(options, (message) => {
    if (!take(message)) running?.take(message);
  });
  const fail = (error: ServeError) => {
    loading.reject(error);
    if (!running || ending) return;
    ending = true;
    running.close(error);
    options.onFailure(error);
  };
  void child.gone.then((error) => {
    fail(error);
    running?.close(unloaded());
  });

  function take(message: ToParent): message is Exclude<ToParent, { type: 'step' | 'answer' | 'refusal' }> {
    switch (message.type) {
      case 'progress':
        options.onProgress(message.fraction);
        return true;
      case 'calibrate':
        options.onCalibrate?.();
        return true;
      case 'log':
        options.onNativeLog?.(message.level, message.message);
        return true;
      case 'loaded':
        loading.resolve(message.facts);
        return true;
      case 'load-failed':
        loading.reject(fromWire(message.error));
        return true;
      case 'failed':
        child.kill();
        fail(new ServeError('engine_failure', 'The model failed.', {}, { cause: fromWire(message.error) }));
        return true;
      case 'step':
      case 'answer':
      case 'refusal':
        return false;
      default:
        return message satisfies never;
    }
  }

  const facts = await load(child, loading.promise, options);
  const end = async () => {
    ending = true;
    child.send({ type: 'dispose' });
    const cancelDeadline = options.timers.after(endWithinMs, () => child.kill());
    await child.gone;
    cancelDeadline();
  };
  running = new ProcessEngine({ facts, end, send: (message) => child.send(message), onStep: options.onStep });
  const { engine, questions } = running;
  const { vocabulary, trainedContextSize, embeddingSize, parameters, tuning } = facts;
  return {
    ...{ engine, vocabulary, trainedContextSize, embeddingSize, parameters, tuning, compileTemplate },
    freeDeviceBytes: () =>
      questions.ask('device-memory', { about: 'device-memory' }).then(
        ({ free }) => free,
        () => undefined,
      ),
    openVectors: () => createProcessVectors(facts, questions),
  };
}

async function load(child: EngineChild, loaded: Promise<LoadedFacts>, options: ProcessLoadOptions) {
  const {
    entry: _,
    env: __,
    timers: ___,
    signal,
    onProgress,
    onStep,
    onFailure,
    onCalibrate,
    onNativeLog,
    ...sent
  } = options;
  const aborted = createDeferred<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    child.send({ type: 'load', options: sent });
    return await Promise.race([loaded, aborted.promise]);
  } catch (error) {
    child.kill();
    // Its memory is free before somebody tries again.
    await child.gone;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function unloaded(): ServeError {
  return new ServeError('engine_failure', 'The model was unloaded while this request was running.');
}
