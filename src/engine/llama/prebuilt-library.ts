import { existsSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release as kernel } from 'node:os';
import { dirname, join } from 'node:path';
import { getLlamaGpuTypes, getModuleVersion, type Llama, LlamaLogLevel } from 'node-llama-cpp';
import { isJsonObject, type JsonValue } from '../../contract/json.ts';
import { type CreateLlamaOptions, createLlama } from './native.ts';

/** Libraries that were tried out on this machine and ran. */
export interface SoundLibraries {
  has(key: string): boolean;
  add(key: string): void;
}

/** Of what the library says; how much of that becomes log lines is for the server to say. */
export const nativeLogLevel = LlamaLogLevel.warn;

/** The library for the CPU that comes with the package. */
export interface PrebuiltLibrary {
  /** Another one for every file, machine, kernel and Node.js. */
  readonly key: string;
  open(log: CreateLlamaOptions['logger']): Promise<Llama>;
}

const packages: Partial<Record<NodeJS.Architecture, string>> = {
  x64: 'linux-x64',
  arm64: 'linux-arm64',
  arm: 'linux-armv7l',
};

/**
 * What `getLlama` would open on this machine, to be opened without trying it out first. On Linux the library tries
 * every prebuilt binary out in a child process, so that one that the machine cannot run ends that process alone: right
 * the first time, but it took 0.4 to 0.7 s of every start, as long as everything else before the model's load together.
 * undefined: a GPU is to be used (its driver may be broken by the next start), another system (nothing is tried out
 * there), or a library that was built on the spot (which comes before the prebuilt one).
 */
export async function cpuLibrary(gpu: 'auto' | 'off'): Promise<PrebuiltLibrary | undefined> {
  const name = packages[process.arch];
  if (process.platform !== 'linux' || !name) return undefined;
  if (gpu === 'auto' && (await getLlamaGpuTypes('supported'))[0] !== false) return undefined;
  try {
    return await find(name);
  } catch {
    // Not installed, or not as expected: `getLlama` finds out and says so.
    return undefined;
  }
}

/** The folder of the package node-llama-cpp. */
export function libraryHome(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('node-llama-cpp')));
}

async function find(name: string): Promise<PrebuiltLibrary | undefined> {
  const home = libraryHome();
  const library = createRequire(join(home, 'dist/index.js'));
  // Where the library looks first.
  if ([join(home, 'llama/localBuilds'), join(home, 'bins', name)].some(existsSync)) return undefined;
  const root = dirname(dirname(library.resolve(`@node-llama-cpp/${name}`)));
  const version = await getModuleVersion();
  if (member(readJson(join(root, 'package.json')), 'version') !== version) return undefined;
  const folder = join(root, 'bins', name);
  const path = join(folder, 'llama-addon.node');
  const source = member(member(readJson(join(folder, '_nlcBuildMetadata.json')), 'buildOptions'), 'llamaCpp');
  const [repo, release] = [member(source, 'repo'), member(source, 'release')];
  if (typeof repo !== 'string' || typeof release !== 'string') return undefined;
  const { size, mtimeMs } = statSync(path);
  const key = [path, size, mtimeMs, version, cpus()[0]?.model, kernel(), process.version].join(' ');
  return {
    key,
    open: (logger) =>
      createLlama({
        bindings: library(path),
        bindingPath: path,
        buildType: 'prebuilt',
        buildMetadata: { buildOptions: { gpu: false, llamaCpp: { repo, release }, customCmakeOptions: new Map() } },
        logLevel: nativeLogLevel,
        logger,
        vramPadding: 0,
        ramPadding: (total) => Math.floor(Math.min(total / 4, 1024 ** 3)),
        tempDir: false,
      }),
  };
}

function readJson(path: string): JsonValue {
  return JSON.parse(readFileSync(path, 'utf8'));
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[name] : undefined;
}
