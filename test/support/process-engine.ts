import { execFileSync } from 'node:child_process';
import { resolve } from 'node:path';
import type { LoadedEngine } from '../../src/engine/llama/load.ts';
import { loadModelInProcess, type ProcessLoadOptions } from '../../src/engine/process/load.ts';
import { realSystem } from '../../src/main/system.ts';
import { demoModelPath } from './demo-engine.ts';

const root = resolve(import.meta.dirname, '../..');
const compiled = resolve(root, '.cache/engine-child');

/** What the child runs is compiled code, apart from `dist`, which other tests write while this one runs. */
export function buildEngineChild(): void {
  const compiler = resolve(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'src', '--outDir', compiled], { cwd: root, stdio: 'inherit' });
}

export function loadDemoModelInProcess(changes: Partial<ProcessLoadOptions> = {}): Promise<LoadedEngine> {
  return loadModelInProcess({
    entry: resolve(compiled, 'main/engine-child.js'),
    timers: realSystem.timers,
    tuningFile: undefined,
    path: demoModelPath,
    gpu: 'off',
    gpuLayers: undefined,
    contextSize: 2048,
    slots: 4,
    batchSize: undefined,
    threads: 1,
    flashAttention: false,
    stepTargetMs: 50,
    signal: new AbortController().signal,
    onProgress: () => undefined,
    onFailure: (error) => {
      throw error;
    },
    ...changes,
  });
}
