import { isDeepStrictEqual } from 'node:util';
import type { WeightsWish } from '../load-options.ts';
import { type EngineThread, startEngineThread, type ThreadProgram } from './engine-thread.ts';

/** Weights that begin to load before the program is there that runs on them. */
export interface EarlyWeights {
  /** For one load of these weights, which gets the thread that loads them; undefined when it has to start its own. */
  take(wish: WeightsWish): EngineThread | undefined;
  /** Whether they are of this file, and nobody has taken them. */
  isFor(path: string): boolean;
  /** Gives the memory back, unless a load has them. */
  discard(): Promise<void>;
}

export function beginWeights(wish: WeightsWish, program: ThreadProgram): EarlyWeights {
  let thread: EngineThread | undefined = loadingThread(wish, program);
  const leave = () => {
    const left = thread;
    thread = undefined;
    return left;
  };
  return {
    take: (wanted) => (isDeepStrictEqual(asked(wanted), asked(wish)) ? leave() : undefined),
    isFor: (path) => thread !== undefined && path === wish.path,
    async discard() {
      const left = leave();
      left?.send({ type: 'dispose' });
      await left?.gone;
    },
  };
}

/** A thread that has been told to load these weights. */
export function loadingThread(wish: WeightsWish, program: ThreadProgram): EngineThread {
  const thread = startEngineThread(program);
  thread.send({ type: 'weights', options: asked(wish) });
  return thread;
}

function asked({ path, library, parameters, adapters = [], verbose = false }: WeightsWish) {
  return { path, library, parameters, adapters, verbose };
}
