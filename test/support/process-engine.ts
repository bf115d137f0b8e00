import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import type { LoadedEngine } from '../../src/engine/llama/load.ts';
import { loadModelInProcess, type ProcessLoadOptions } from '../../src/engine/process/load.ts';
import { realSystem } from '../../src/main/system.ts';
import { demoLoadOptions } from './demo-engine.ts';
import { isAlive } from './process-alive.ts';

const root = resolve(import.meta.dirname, '../..');
const folder = resolve(root, '.cache/engine-child');
const compiled = resolve(folder, `${process.pid}`);

/** What the child runs is compiled code, in a folder that no other test writes to. Once for each worker. */
export function buildEngineChild(): void {
  if (existsSync(compiled)) return;
  mkdirSync(compiled, { recursive: true });
  // A test's worker is ended without being told: those that follow clear up after it.
  for (const pid of readdirSync(folder)) {
    if (!isAlive(Number(pid))) rmSync(resolve(folder, pid), { recursive: true, force: true });
  }
  const compiler = resolve(root, 'node_modules/typescript/bin/tsc');
  execFileSync(process.execPath, [compiler, '-p', 'src', '--outDir', compiled], { cwd: root, stdio: 'inherit' });
}

export function loadDemoModelInProcess(changes: Partial<ProcessLoadOptions> = {}): Promise<LoadedEngine> {
  return loadModelInProcess({
    ...demoLoadOptions,
    entry: resolve(compiled, 'main/engine-child.js'),
    timers: realSystem.timers,
    tuningFile: undefined,
    signal: new AbortController().signal,
    ...changes,
  });
}
