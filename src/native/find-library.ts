import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { LibraryHandle } from 'koffi';
import { isJsonObject, type JsonValue } from '../contract/json.ts';
import { canLoad, type GpuKind, type LibraryFiles, noUsableDevice, tryLoad } from './libraries.ts';

/** 'auto' takes the first that this machine has: CUDA, Vulkan, the CPU; Metal on a Mac with Apple's chip. */
export type GpuWish = 'auto' | GpuKind | false;

/** What a build of the library is looked for on. */
export interface Machine {
  readonly platform: NodeJS.Platform;
  readonly arch: NodeJS.Architecture;
  /** The folder of the package node-llama-cpp. Its JavaScript is never read: that takes a third of a second. */
  readonly home: string;
  /** Whether a driver and a device are there. */
  hasDevice(gpu: GpuKind): boolean;
  /** Whether the system can load a library and all that it needs. */
  canLoad(path: string): boolean;
}

/**
 * The build of llama.cpp that serves a wish: one that was built on this machine, or else the one from the registry.
 * @throws Error in one sentence: none is installed, or this machine has no such GPU
 */
export function findLibrary(wish: GpuWish, machine: Machine = thisMachine()): LibraryFiles {
  for (const gpu of wish === 'auto' ? inOrder(machine) : [wish]) {
    const { build, fault } = judge(gpu, machine);
    if (build && !fault) return { ...build, needsGpu: wish !== 'auto' && wish !== false };
  }
  if (wish && wish !== 'auto') throw noUsableDevice(wish);
  throw new Error(
    `No native library for ${machine.platform} on ${machine.arch} is installed: run npm install again without ` +
      '--omit=optional, or build one with npx node-llama-cpp source build.',
  );
}

/** A build that was looked at, and why it is not the one. */
export interface JudgedBuild {
  readonly gpu: GpuKind | false;
  /** Where it lies; undefined: nowhere. */
  readonly folder: string | undefined;
  readonly fault: BuildFault | undefined;
}

type BuildFault = 'not installed' | 'no driver with a device' | 'its backend does not load';

/** Every build that a wish goes through, in its order: the first without a fault is what `findLibrary` gives. */
export function judgeLibraries(wish: GpuWish, machine: Machine = thisMachine()): JudgedBuild[] {
  return (wish === 'auto' ? inOrder(machine) : [wish]).map((gpu) => {
    const { build, fault } = judge(gpu, machine);
    return { gpu, folder: build?.folder, fault };
  });
}

/** The machine that this process runs on; `home`: see Machine. */
export function thisMachine(home = ownHome()): Machine {
  const { platform, arch } = process;
  return { platform, arch, home, canLoad, hasDevice: (gpu) => hasDevice(gpu, platform) };
}

function ownHome(): string {
  return dirname(dirname(createRequire(import.meta.url).resolve('node-llama-cpp')));
}

const systems: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'linux',
  android: 'linux',
  darwin: 'mac',
  win32: 'win',
  cygwin: 'win',
};

function inOrder({ platform, arch }: Machine): readonly (GpuKind | false)[] {
  return platform === 'darwin' && arch === 'arm64' ? ['metal', false] : ['cuda', 'vulkan', false];
}

function judge(gpu: GpuKind | false, machine: Machine): { build?: LibraryFiles; fault?: BuildFault } {
  const build = installed(gpu, machine);
  if (!build) return { fault: 'not installed' };
  if (!gpu) return { build };
  if (!machine.hasDevice(gpu)) return { build, fault: 'no driver with a device' };
  const backend = `${machine.platform === 'win32' ? '' : 'lib'}ggml-${gpu}.${machine.platform === 'win32' ? 'dll' : 'so'}`;
  const folders = [build.folder, build.fallbackFolder].filter((folder) => folder !== undefined);
  const loads = folders.map((folder) => join(folder, backend)).some(machine.canLoad);
  return loads ? { build } : { build, fault: 'its backend does not load' };
}

function installed(gpu: GpuKind | false, machine: Machine): LibraryFiles | undefined {
  const system = systems[machine.platform];
  if (!system) return undefined;
  // A Mac with Apple's chip has one build: the CPU alone is served by leaving its GPU alone.
  const builtFor = system === 'mac' && machine.arch === 'arm64' ? 'metal' : gpu;
  if (gpu && gpu !== builtFor) return undefined;
  const { home } = machine;
  const name = [system, machine.arch === 'arm' ? 'armv7l' : machine.arch, builtFor].filter(Boolean).join('-');
  const folders = [
    ...localBuilds(home, { platform: system, arch: machine.arch, gpu: builtFor }),
    join(home, 'bins', name),
    inPackage(home, name, name),
  ];
  const files = folders.map((folder) => folder && filesIn(folder)).find(Boolean);
  if (!files) return undefined;
  const fallbackFolder = [files.folder, inPackage(home, `${name}-ext`, name)]
    .map((folder) => folder && join(folder, 'fallback'))
    .find((folder) => folder && existsSync(folder));
  return { ...files, gpu, ...(fallbackFolder ? { fallbackFolder } : {}) };
}

/** The names that node-llama-cpp writes beside a build. */
interface BuiltFor {
  readonly platform: string;
  readonly arch: string;
  readonly gpu: string | false;
}

/**
 * Of `npx node-llama-cpp source build`: the plainest name first, then the newest. A build of another release is not passed
 * over: opening it says what to do.
 */
function localBuilds(home: string, wanted: BuiltFor): string[] {
  const root = join(home, 'llama/localBuilds');
  const builds = existsSync(root) ? readdirSync(root).map((name) => join(root, name)) : [];
  return builds
    .filter((build) => existsSync(join(build, 'buildDone.status')))
    .sort((left, right) => left.length - right.length || statSync(right).mtimeMs - statSync(left).mtimeMs)
    .map((build) => join(build, 'Release'))
    .filter((folder) => isBuiltFor(folder, wanted));
}

function isBuiltFor(folder: string, { platform, arch, gpu }: BuiltFor): boolean {
  try {
    const metadata: JsonValue = JSON.parse(readFileSync(join(folder, '_nlcBuildMetadata.json'), 'utf8'));
    const built = member(metadata, 'buildOptions');
    return member(built, 'platform') === platform && member(built, 'arch') === arch && member(built, 'gpu') === gpu;
  } catch {
    return false;
  }
}

function member(value: JsonValue | undefined, name: string): JsonValue | undefined {
  return value !== undefined && isJsonObject(value) ? value[name] : undefined;
}

/** As node-llama-cpp would find it. undefined: not installed. */
function inPackage(home: string, name: string, folder: string): string | undefined {
  try {
    const entry = createRequire(join(home, 'dist/index.js')).resolve(`@node-llama-cpp/${name}`);
    return join(dirname(dirname(entry)), 'bins', folder);
  } catch {
    return undefined;
  }
}

/** `libllama.cuda.v0.5.0.so`, `llama.v0.4.0.dll`: their names carry what they were built for and the release. */
function filesIn(folder: string): Omit<LibraryFiles, 'gpu'> | undefined {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const path = (library: string) => {
    const name = names.find((each) => new RegExp(`^(lib)?${library}(\\.[\\w.+-]+)?\\.(so|dylib|dll)$`).test(each));
    return name && join(folder, name);
  };
  const [llama, ggml, ggmlBase] = ['llama', 'ggml', 'ggml-base'].map(path);
  return llama && ggml && ggmlBase ? { folder, llama, ggml, ggmlBase } : undefined;
}

/** Opened by name, so found wherever the system looks. */
const drivers = {
  cuda: { linux: 'libcuda.so.1', win32: 'nvcuda.dll' },
  vulkan: { linux: 'libvulkan.so.1', win32: 'vulkan-1.dll' },
} as const;

function hasDevice(gpu: GpuKind, platform: NodeJS.Platform): boolean {
  if (gpu === 'metal') return platform === 'darwin';
  if (platform !== 'linux' && platform !== 'win32') return false;
  const driver = tryLoad(drivers[gpu][platform]);
  return driver !== undefined && (gpu !== 'cuda' || countsDevices(driver));
}

/** A machine may have the driver without a card, or a container without the card. */
function countsDevices(driver: LibraryHandle): boolean {
  const count = new Int32Array(1);
  const start = driver.func('cuInit', 'int', ['uint']);
  const read = driver.func('cuDeviceGetCount', 'int', ['void *']);
  return start(0) === 0 && read(count) === 0 && (count[0] ?? 0) > 0;
}
