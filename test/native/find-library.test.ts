import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findLibrary, type GpuWish, type Machine } from '../../src/native/find-library.ts';
import type { GpuKind } from '../../src/native/libraries.ts';

let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'find-library-'));
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

const home = () => join(root, 'node_modules/node-llama-cpp');

function write(path: string, text = ''): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** A package as the registry has it, with these files in its folder of binaries. */
function install(name: string, files: readonly string[], folder = name): string {
  const root = join(home(), '..', '@node-llama-cpp', name);
  write(join(root, 'package.json'), JSON.stringify({ main: 'dist/index.js' }));
  write(join(root, 'dist/index.js'));
  for (const file of files) write(join(root, 'bins', folder, file));
  return resolve(root, 'bins', folder);
}

function build(name: string, made: { platform: string; arch: string; gpu: string | false }, files = linux()): string {
  const folder = join(home(), 'llama/localBuilds', name);
  for (const file of files) write(join(folder, 'Release', file));
  write(join(folder, 'Release/_nlcBuildMetadata.json'), JSON.stringify({ buildOptions: made }));
  write(join(folder, 'buildDone.status'));
  return join(folder, 'Release');
}

const linux = (variant = '') => [
  `libllama${variant}.v0.5.0.so`,
  `libggml${variant}.v0.5.0.so`,
  'libggml-base.so',
  'libggml-cpu-haswell.so',
  'libllama-common.so',
  'llama-addon.node',
];
const mac = (variant: string) => [
  `libllama${variant}.v0.4.0.dylib`,
  `libggml${variant}.v0.4.0.dylib`,
  'libggml-base.dylib',
  'libggml-cpu-apple_m1.so',
  'libllama-common.dylib',
];
const windows = (variant = '') => [
  `llama${variant}.v0.4.0.dll`,
  `ggml${variant}.v0.4.0.dll`,
  'ggml-base.dll',
  'ggml-cpu-haswell.dll',
  'llama-common.dll',
];

function machine(platform: NodeJS.Platform, arch: NodeJS.Architecture, gpus: readonly GpuKind[] = []): Machine {
  return { platform, arch, home: home(), hasDevice: (gpu) => gpus.includes(gpu), canLoad: () => true };
}

describe('the library for the CPU', () => {
  const systems: [NodeJS.Platform, NodeJS.Architecture, string, readonly string[], string][] = [
    ['linux', 'x64', 'linux-x64', linux(), 'libllama.v0.5.0.so'],
    ['linux', 'arm64', 'linux-arm64', linux(), 'libllama.v0.5.0.so'],
    ['linux', 'arm', 'linux-armv7l', linux(), 'libllama.v0.5.0.so'],
    ['darwin', 'x64', 'mac-x64', mac(''), 'libllama.v0.4.0.dylib'],
    ['darwin', 'arm64', 'mac-arm64-metal', mac('.metal'), 'libllama.metal.v0.4.0.dylib'],
    ['win32', 'x64', 'win-x64', windows(), 'llama.v0.4.0.dll'],
    ['win32', 'arm64', 'win-arm64', windows(), 'llama.v0.4.0.dll'],
  ];

  it.each(systems)('of %s on %s', (platform, arch, name, files, llama) => {
    const folder = install(name, files);
    const found = findLibrary(false, machine(platform, arch));
    expect(found).toMatchObject({ folder, llama: join(folder, llama), gpu: false });
    expect(found.ggml).toBe(join(folder, llama.replace('llama', 'ggml')));
    expect(found.ggmlBase).toMatch(/ggml-base\.(so|dylib|dll)$/);
  });

  it('tells what to do where there is none', () => {
    expect(() => findLibrary('auto', machine('linux', 'ppc64'))).toThrow(
      'No native library for linux on ppc64 is installed: run npm install again without --omit=optional, or build one ' +
        'with npx node-llama-cpp source build.',
    );
    expect(() => findLibrary(false, machine('aix', 'ppc64'))).toThrow('No native library for aix on ppc64');
  });
});

describe('the wish for a GPU', () => {
  const installAll = () => {
    install('linux-x64', linux());
    install('linux-x64-cuda', linux('.cuda'));
    install('linux-x64-vulkan', linux('.vulkan'));
  };
  const choices: [GpuWish, readonly GpuKind[], GpuKind | false][] = [
    ['auto', ['cuda', 'vulkan'], 'cuda'],
    ['auto', ['vulkan'], 'vulkan'],
    ['auto', [], false],
    ['vulkan', ['cuda', 'vulkan'], 'vulkan'],
    [false, ['cuda', 'vulkan'], false],
  ];

  it.each(choices)('%s on a machine with %j takes %s', (wish, gpus, taken) => {
    installAll();
    const found = findLibrary(wish, machine('linux', 'x64', gpus));
    expect(found.gpu).toBe(taken);
    expect(found.llama).toMatch(taken ? `libllama.${taken}.v0.5.0.so` : 'libllama.v0.5.0.so');
    expect(found.needsGpu).toBe(wish !== 'auto' && wish !== false);
  });

  it('takes Metal on a Mac with a chip of Apple', () => {
    install('mac-arm64-metal', mac('.metal'));
    expect(findLibrary('auto', machine('darwin', 'arm64', ['metal'])).gpu).toBe('metal');
  });

  it.each<GpuWish>(['cuda', 'vulkan', 'metal'])('%s that cannot be met is told', (wish) => {
    installAll();
    const message = `No usable ${wish} device was found. Start with --gpu auto, or --gpu off for the CPU.`;
    expect(() => findLibrary(wish, machine('linux', 'x64'))).toThrow(message);
    expect(() => findLibrary(wish, machine('darwin', 'x64', ['metal']))).toThrow(message);
  });

  it('takes the fallback of the extension package where the backend does not open, and the next GPU where neither does', () => {
    installAll();
    const extension = install('linux-x64-cuda-ext', ['fallback/libggml-cuda.so'], 'linux-x64-cuda');
    const gpus: GpuKind[] = ['cuda', 'vulkan'];
    const old = { ...machine('linux', 'x64', gpus), canLoad: (path: string) => path.includes('fallback') };
    expect(findLibrary('auto', old)).toMatchObject({ gpu: 'cuda', fallbackFolder: join(extension, 'fallback') });
    const bare = { ...machine('linux', 'x64', gpus), canLoad: (path: string) => path.endsWith('libggml-vulkan.so') };
    expect(findLibrary('auto', bare).gpu).toBe('vulkan');
  });
});

describe('a library that was built on this machine', () => {
  const cpu = { platform: 'linux', arch: 'x64', gpu: false } as const;

  it('comes before the one of the registry', () => {
    install('linux-x64', linux());
    const folder = build('linux-x64', cpu);
    build('linux-x64-cuda', { ...cpu, gpu: 'cuda' });
    expect(findLibrary('auto', machine('linux', 'x64')).folder).toBe(folder);
    expect(findLibrary('cuda', machine('linux', 'x64', ['cuda'])).folder).toContain('localBuilds/linux-x64-cuda/');
  });

  it('is found by what it was made for, the plainest name first', () => {
    const other = build('linux-x64-release-b9999', cpu);
    expect(findLibrary('auto', machine('linux', 'x64')).folder).toBe(other);
    const plain = build('linux-x64', cpu, ['libllama.so', 'libggml.so', 'libggml-base.so', 'libggml-cpu.so']);
    expect(findLibrary('auto', machine('linux', 'x64'))).toMatchObject({
      folder: plain,
      llama: join(plain, 'libllama.so'),
    });
  });

  it('is passed over while it is not finished', () => {
    const folder = install('linux-x64', linux());
    rmSync(join(build('linux-x64', cpu), '../buildDone.status'));
    expect(findLibrary('auto', machine('linux', 'x64')).folder).toBe(folder);
  });
});
