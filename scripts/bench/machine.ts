import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem, type } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inRepository } from '../in-repository.ts';

/** What a figure depends on, line by line. */
export function describeMachine(peer: string | undefined): string[] {
  const [first] = cpus();
  return [
    `Date: ${new Date().toISOString().slice(0, 10)}`,
    `Machine: ${first?.model.trim() ?? 'unknown processor'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(0)} GiB memory, ${type()} ${release()}`,
    `serve-model ${versionIn(inRepository('package.json'))}, Node.js ${process.version}, node-llama-cpp ${libraryVersion()}`,
    ...(peer === undefined ? [] : [`llama-server ${peerVersion(peer)}`]),
  ];
}

function libraryVersion(): string {
  return versionIn(join(dirname(fileURLToPath(import.meta.resolve('node-llama-cpp'))), '..', 'package.json'));
}

function versionIn(path: string): string {
  const content: unknown = JSON.parse(readFileSync(path, 'utf8'));
  const version = typeof content === 'object' && content !== null ? Reflect.get(content, 'version') : undefined;
  return typeof version === 'string' ? version : 'unknown';
}

/** It prints its version to stderr. */
function peerVersion(binary: string): string {
  const env = { ...process.env, LD_LIBRARY_PATH: dirname(resolve(binary)) };
  try {
    const text = execFileSync('sh', ['-c', '"$0" --version 2>&1', resolve(binary)], { env, encoding: 'utf8' });
    return /version: (.*)/.exec(text)?.[1] ?? 'of unknown version';
  } catch {
    return 'of unknown version';
  }
}
