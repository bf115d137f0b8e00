import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Source of one llama.cpp release. */
export interface ReleaseSource {
  /** The text of a file, by its path in the repository. */
  read(path: string): string;
  /** Short hash of the commit. */
  readonly commit: string;
}

/**
 * Hands over the source that a node-llama-cpp package carries as a git bundle.
 * @param bundle its `llama/gitRelease.bundle`
 */
export function withReleaseSource<T>(bundle: string, use: (source: ReleaseSource) => T): T {
  const folder = mkdtempSync(join(tmpdir(), 'llama.cpp-'));
  try {
    git(['clone', '--quiet', '--bare', bundle, folder]);
    return use({
      read: (path) => git(['-C', folder, 'show', `HEAD:${path}`]),
      commit: git(['-C', folder, 'rev-parse', '--short=7', 'HEAD']).trim(),
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function git(words: readonly string[]): string {
  return execFileSync('git', words, { encoding: 'utf8', maxBuffer: 64 * 1024 ** 2, stdio: ['ignore', 'pipe', 'pipe'] });
}
