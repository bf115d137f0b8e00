import { discardPreparedThread, prepareEngineThread } from './engine/thread/engine-thread.ts';
import { engineWorker } from './main/entries.ts';

/**
 * What the command does before it has read itself: the engine's thread begins to read its own modules, on another core.
 * It is given back where no model comes.
 */
export function prepareThread(): void {
  prepareEngineThread(engineWorker);
}

export const discardPrepared = discardPreparedThread;
