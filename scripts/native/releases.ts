import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Release } from './read-release.ts';
import { tableSource, typesSource } from './write-tables.ts';

/**
 * Releases of node-llama-cpp whose libraries the product opens, the newest first, with the commit that their
 * `ggml_commit()` tells. The newest is the one in package.json; older ones stay as long as some platform's package has
 * no newer one in the registry.
 */
export const releases = [
  { nodeLlamaCpp: '3.22.1', llama: '0.5.0', commit: '0ad4a86' },
  { nodeLlamaCpp: '3.21.1', llama: '0.4.0', commit: '5b4ebc5' },
] as const;

/** The bundle of the package that is installed. */
export function installedBundle(): string {
  const home = dirname(dirname(createRequire(import.meta.url).resolve('node-llama-cpp')));
  return join(home, 'llama/gitRelease.bundle');
}

/** File in src/native -> its source. The types are those of the newest release. */
export function sourcesOf(read: Release, release: (typeof releases)[number]): Map<string, string> {
  const sources = new Map([[`tables/llama-${release.llama}.ts`, tableSource(read.table)]]);
  if (release === releases[0]) sources.set('functions.ts', typesSource(read.declarations));
  return sources;
}
