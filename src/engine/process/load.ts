import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { Timers } from '../../contract/services.ts';
import { buildEngine } from '../build-engine.ts';
import type { TokenText } from '../engine.ts';
import type { LoadedEngine, LoadOptions } from '../load-options.ts';
import { fromWire } from '../remote/protocol.ts';
import type { Questions } from '../remote/questions.ts';
import type { RemoteEngine } from '../remote/remote-engine.ts';
import { type ChildProgram, type EngineChild, forkEngine } from './fork.ts';
import type { ChildLoadOptions, FromChild, OpenedModel } from './protocol.ts';
import { bytesInTable, type TokenTable } from './token-table.ts';

export interface ProcessLoadOptions
  extends ChildLoadOptions,
    ChildProgram,
    Pick<LoadOptions, 'signal' | 'onProgress' | 'onStep' | 'onFailure' | 'onCalibrate'> {
  readonly timers: Timers;
}

/** A child that does not end by itself within this time is killed. */
const endWithinMs = 10_000;

/**
 * Loads the model in a process of its own, behind the same interface: a native crash ends that process alone. Then
 * whoever runs on it fails with engine_failure, and `onFailure` is called.
 */
export async function loadModelInProcess(options: ProcessLoadOptions): Promise<LoadedEngine> {
  const { signal } = options;
  signal.throwIfAborted();
  const opening = createDeferred<OpenedModel>();
  let running: RemoteEngine | undefined;
  let ending = false;

  const child = forkEngine(options, take);
  const fail = (error: ServeError) => {
    opening.reject(error);
    if (!running || ending) return;
    ending = true;
    running.close(error);
    options.onFailure(error);
  };
  void child.gone.then((error) => {
    fail(error);
    running?.close(unloaded());
  });

  function take(message: FromChild): void {
    switch (message.type) {
      case 'progress':
        options.onProgress(message.fraction);
        return;
      case 'calibrate':
        options.onCalibrate?.();
        return;
      case 'opened':
        opening.resolve(message.model);
        return;
      case 'load-failed':
        opening.reject(fromWire(message.error));
        return;
      case 'failed':
        child.kill();
        fail(new ServeError('engine_failure', 'The model failed.', {}, { cause: fromWire(message.error) }));
        return;
      case 'step':
      case 'answer':
      case 'refusal':
        running?.take(message);
        return;
      case 'weights-loaded':
      case 'loaded':
      case 'ended':
        return;
      default:
        message satisfies never;
    }
  }

  const { tokens, ...model } = await load(child, opening.promise, options);
  const { loaded, remote } = buildEngine({
    ...model,
    // Asked only when the engine is there.
    text: tableText(tokens, () => remote.questions),
    send: (message) => {
      const { type } = message;
      if (type !== 'library' && type !== 'weights' && type !== 'context' && type !== 'vectors') child.send(message);
    },
    interrupt: () => child.send({ type: 'interrupt' }),
    end: async () => {
      ending = true;
      child.send({ type: 'dispose' });
      const cancelDeadline = options.timers.after(endWithinMs, () => child.kill());
      await child.gone;
      cancelDeadline();
    },
    onStep: options.onStep,
    placement: options.placement,
  });
  running = remote;
  return loaded;
}

/** Bytes from the table; what needs the vocabulary's rules is asked. */
function tableText(table: TokenTable, questions: () => Questions): TokenText {
  const control = new Set(table.control);
  return {
    tokenize: async (pieces, { special, signal }) => {
      const { tokens } = await questions().ask('tokens', { about: 'tokens', pieces, special }, signal);
      return [...tokens];
    },
    bytes: (token) => bytesInTable(table, token),
    isControl: (token) => control.has(token),
  };
}

async function load(
  child: EngineChild,
  opened: Promise<OpenedModel>,
  options: ProcessLoadOptions,
): Promise<OpenedModel> {
  const { entry: _, env: __, timers: ___, signal, onProgress, onStep, onFailure, onCalibrate, ...sent } = options;
  const aborted = createDeferred<never>();
  const abort = () => aborted.reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    child.send({ type: 'load', options: sent });
    return await Promise.race([opened, aborted.promise]);
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
