import { fileURLToPath } from 'node:url';
import type { LoadedEngine } from '../../src/engine/load-options.ts';
import { loadModelInProcess, type ProcessLoadOptions } from '../../src/engine/process/load.ts';
import { realSystem } from '../../src/main/system.ts';
import { engineChild } from './compiled-entries.ts';
import { demoLoadOptions } from './demo-engine.ts';

export function loadDemoModelInProcess(changes: Partial<ProcessLoadOptions> = {}): Promise<LoadedEngine> {
  return loadModelInProcess({
    ...demoLoadOptions,
    entry: fileURLToPath(engineChild),
    timers: realSystem.timers,
    tuningFile: undefined,
    signal: new AbortController().signal,
    ...changes,
  });
}
