import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { commandPath } from './serve-process.ts';

const root = resolve(import.meta.dirname, '../..');

/**
 * Compiles the sources before the first test of the project `engine`: what these tests start is what users run. Later
 * nobody may touch `dist`, because servers of other test files start from it.
 */
export default function buildPackage(): void {
  if (isBuilt()) return;
  rmSync(resolve(root, 'dist'), { recursive: true, force: true });
  execFileSync('npm', ['run', 'build', '--silent'], {
    cwd: root,
    stdio: ['ignore', 'ignore', 'inherit'],
    shell: process.platform === 'win32',
  });
}

function isBuilt(): boolean {
  if (!existsSync(commandPath)) return false;
  const builtAt = statSync(commandPath).mtimeMs;
  const sources = readdirSync(resolve(root, 'src'), { recursive: true, encoding: 'utf8' });
  return sources.every((name) => statSync(resolve(root, 'src', name)).mtimeMs < builtAt);
}
