import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { readRelease } from './read-release.ts';
import { withReleaseSource } from './release-source.ts';
import { installedBundle, releases, sourcesOf } from './releases.ts';

/**
 * `npm run native:tables` writes the newest release's tables. `npm run native:tables -- 3.21.1 BUNDLE` writes an older
 * one's, from the bundle in the package that `npm pack node-llama-cpp@3.21.1` gives.
 */
const [nodeLlamaCpp = releases[0].nodeLlamaCpp, bundle = installedBundle()] = process.argv.slice(2);
const release = releases.find((each) => each.nodeLlamaCpp === nodeLlamaCpp);
if (!release) throw new Error(`${nodeLlamaCpp} is not in the list of scripts/native/releases.ts.`);
const read = withReleaseSource(resolve(bundle), (source) => readRelease(source, release.commit));
for (const [name, text] of sourcesOf(read, release)) {
  writeFileSync(join('src/native', name), text);
  console.log(`src/native/${name}: ${read.table.llama}, ${text.split('\n').length} lines`);
}
