import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release as kernel } from 'node:os';
import { dirname, join } from 'node:path';
import { isJsonObject, type JsonValue } from '../../contract/json.ts';

/**
 * The library for the CPU that comes with the package, on Linux. Found without node-llama-cpp, whose JavaScript takes a
 * third of a second to read: nothing in this file may import it.
 */
export interface PrebuiltFile {
  readonly path: string;
  /** Another one for every file, machine, kernel and Node.js. */
  readonly key: string;
  readonly llamaCpp: { readonly repo: string; readonly release: string };
  /** Its exports, opened on first use. */
  open(): unknown;
}

const packages: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'linux-x64',
  arm64: 'linux-arm64',
  arm: 'linux-armv7l',
};

/** undefined: another system, not installed, not as expected, or the library would first take one built on the spot. */
export function prebuiltFile(): PrebuiltFile | undefined {
  const name = packages[process.arch];
  if (process.platform !== 'linux' || !name) return undefined;
  try {
    return find(name);
  } catch {
    return undefined;
  }
}

/** What is remembered of a library: this choice of GPU led to it, and it ran. */
export function soundKey(fileKey: string, gpu: 'auto' | 'off'): string {
  return `${fileKey} ${gpu}`;
}

/** The folder of the package node-llama-cpp. */
export function libraryHome(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('node-llama-cpp')));
}

function find(name: string): PrebuiltFile | undefined {
  const home = libraryHome();
  const library = createRequire(join(home, 'dist/index.js'));
  // Where the library looks first.
  if ([join(home, 'llama/localBuilds'), join(home, 'bins', name)].some(existsSync)) return undefined;
  const root = dirname(dirname(library.resolve(`@node-llama-cpp/${name}`)));
  const version = member(readJson(join(home, 'package.json')), 'version');
  if (member(readJson(join(root, 'package.json')), 'version') !== version) return undefined;
  const folder = join(root, 'bins', name);
  const path = join(folder, 'llama-addon.node');
  const source = member(member(readJson(join(folder, '_nlcBuildMetadata.json')), 'buildOptions'), 'llamaCpp');
  const [repo, release] = [member(source, 'repo'), member(source, 'release')];
  if (typeof repo !== 'string' || typeof release !== 'string') return undefined;
  const { size, mtimeMs } = statSync(path);
  const key = [path, size, mtimeMs, version, cpus()[0]?.model, kernel(), process.version].join(' ');
  return { path, key, llamaCpp: { repo, release }, open: () => library(path) };
}

function readJson(path: string): JsonValue {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[name] : undefined;
}
