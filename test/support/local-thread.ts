import { createDeferred } from '../../src/contract/deferred.ts';
import { ServeError } from '../../src/contract/errors.ts';
import { type LoopPort, serveLoop } from '../../src/engine/loop/serve.ts';
import type { FromLoop, ToLoop } from '../../src/engine/remote/protocol.ts';
import type { EarlyWeights } from '../../src/engine/thread/early-weights.ts';
import type { EngineThread } from '../../src/engine/thread/engine-thread.ts';

/**
 * For a load: the engine's loop in the thread of the test, where native handles can be watched and replaced. During its
 * steps nothing else runs, so the answer of a steered run is always late, and every other run is ahead of its request by
 * as much as the loop allows.
 */
export const localThread: EarlyWeights = {
  take: ({ path, library, parameters, adapters = [], verbose = false }) => {
    const thread = startLocalThread();
    thread.send({ type: 'weights', options: { path, library, parameters, adapters, verbose } });
    return thread;
  },
  isFor: () => true,
  discard: async () => undefined,
};

function startLocalThread(): EngineThread {
  const inbox: ToLoop[] = [];
  const early: FromLoop[] = [];
  const gone = createDeferred<ServeError>();
  let wake = createDeferred<void>();
  let hear = (message: FromLoop): void => void early.push(message);
  const port: LoopPort = {
    receive: () => inbox.shift(),
    // Messages are copied and arrive later, as they do from thread to thread.
    send: (message) => {
      const copy = structuredClone(message);
      setImmediate(() => hear(copy));
    },
    async turn() {
      await new Promise((resolve) => setImmediate(resolve));
      if (inbox.length === 0) await wake.promise;
      wake = createDeferred();
    },
    sleep: () => undefined,
    opened: () => undefined,
    enter: () => undefined,
    leave: () => undefined,
  };
  const end = (cause?: unknown) => gone.resolve(new ServeError('engine_failure', 'It ended.', {}, { cause }));
  serveLoop(port, () => performance.now()).then(() => setImmediate(end), end);
  return {
    send(message) {
      inbox.push(structuredClone(message));
      wake.resolve();
    },
    listen(listener) {
      hear = listener;
      for (const message of early.splice(0)) listener(message);
    },
    interruptedBy: () => () => undefined,
    gone: gone.promise,
  };
}
