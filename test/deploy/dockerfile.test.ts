import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseConfig } from '../../src/config.ts';
import { environment, readDockerfile, type Stage, texts } from './dockerfile.ts';

const root = resolve(import.meta.dirname, '../..');
const read = (path: string) => readFileSync(join(root, path), 'utf8');
const manifest = z
  .object({
    bin: z.object({ 'serve-model': z.string() }),
    engines: z.object({ node: z.string() }),
    files: z.array(z.string()),
  })
  .parse(JSON.parse(read('package.json')));
const stages = readDockerfile(read('Dockerfile.cuda'));
const stage = (name: string): Stage => {
  const found = stages.find((each) => each.name === name);
  if (!found) throw new Error(`Dockerfile.cuda has no stage ${name}.`);
  return found;
};
const images = ['cpu', 'cuda'].map(stage);

/** Where ELF files list the libraries that they need; the rest of it is 150 MB of kernels. */
function beginningOf(path: string, length: number): Buffer {
  const file = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(file, bytes));
  } finally {
    closeSync(file);
  }
}

/** Sources of COPY, without those of other stages. */
function copied({ instructions }: Stage): string[] {
  const own = instructions.filter(({ name, text }) => name === 'COPY' && !text.startsWith('--from'));
  return own.flatMap(({ text }) => text.split(/\s+/).slice(0, -1));
}

describe('Dockerfile.cuda', () => {
  it('has the two targets, the one for GPUs being the last and so the default', () => {
    expect(stages.map(({ name }) => name)).toEqual(['build', 'build-cpu', 'cpu', 'cuda']);
  });

  it('copies what exists and what .dockerignore lets through', () => {
    const [everything, ...letThrough] = read('.dockerignore')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    expect(everything).toBe('*');
    const sources = stages.flatMap(copied);
    expect(sources.filter((path) => !existsSync(join(root, path)))).toEqual([]);
    expect(sources.toSorted()).toEqual(letThrough.map((line) => line.slice(1)).toSorted());
  });

  it('holds all files of the package', () => {
    const built = ['dist'];
    // What only people read, beside the code that it is about: nobody looks for it in an image.
    const documents = ['src/**/README.md', 'src/ui/pictures/*.webp', 'scripts/deploy'];
    const kept = [...copied(stage('build')), ...built, ...documents];
    expect(manifest.files.filter((path) => !path.startsWith('!') && !kept.includes(path))).toEqual([]);
    // It removes sources after the build, never what the package needs.
    const removed = texts(stage('build'), 'RUN').flatMap(
      (text) => /rm -rf ([^&]*)/.exec(text)?.[1]?.split(/\s+/) ?? [],
    );
    expect(removed).toContain('src');
    expect(removed.filter((path) => manifest.files.includes(path))).toEqual([]);
  });

  it('copies what the build runs', () => {
    const { scripts } = z.object({ scripts: z.object({ build: z.string() }) }).parse(JSON.parse(read('package.json')));
    const run = [...scripts.build.matchAll(/node (\S+)/g)].flatMap(([, path]) => path ?? []);
    expect(run).toContain('scripts/build-ui.mjs');
    // And what these import and read of their own folder.
    const besides = run.flatMap((path) =>
      [...read(path).matchAll(/'(?:\.|scripts)\/([\w-]+\.\w+)'/g)].map((match) => `scripts/${match[1]}`),
    );
    expect(besides).toContain('scripts/built-files.mjs');
    expect([...run, ...besides].filter((path) => !copied(stage('build')).includes(path))).toEqual([]);
  });

  it('throws away what is there: a renamed package would stay otherwise', () => {
    const text = texts(stage('build'), 'RUN').join(' ');
    expect(existsSync(join(root, 'node_modules/node-llama-cpp/llama/gitRelease.bundle'))).toBe(true);
    expect(text).toContain('node_modules/node-llama-cpp/llama/gitRelease.bundle');
    if (process.platform !== 'linux') return;
    const binaries = readdirSync(join(root, 'node_modules/@node-llama-cpp'));
    expect(binaries).toContain(`linux-${process.arch}`);
    expect(text).toContain('! -name "linux-$(node -p process.arch)"');
  });

  it.each(images.map((image) => [image.name, image] as const))('%s starts the command by its real path', (_, image) => {
    expect(texts(image, 'WORKDIR')).toEqual(['/app']);
    expect(texts(image, 'ENTRYPOINT').map((text) => JSON.parse(text))).toEqual([
      ['node', `/app/${manifest.bin['serve-model']}`],
    ]);
  });

  it.each(images.map((image) => [image.name, image] as const))('%s sets what the server understands', (_, image) => {
    const variables = environment(image);
    const parsed = parseConfig(['/models/model.gguf'], variables);
    expect(parsed).toMatchObject({
      command: 'serve',
      config: { host: '0.0.0.0', port: 8080, logFormat: 'json', model: ['/models/model.gguf'] },
    });
    expect(texts(image, 'EXPOSE')).toEqual([variables.SERVE_MODEL_PORT]);
    expect(Object.keys(variables).filter((name) => name.startsWith('SERVE_MODEL_'))).toHaveLength(3);
  });

  it.each(images.map((image) => [image.name, image] as const))('%s runs as a user without rights', (_, image) => {
    expect(texts(image, 'USER')).toEqual(['10001:10001']);
    expect(environment(image).HOME).toBe('/tmp');
    const after = image.instructions.slice(image.instructions.findIndex(({ name }) => name === 'USER'));
    expect(after.filter(({ name }) => name === 'RUN' || name === 'COPY')).toEqual([]);
  });

  it('asks for its health in the same way in both images', () => {
    const [one, other] = images.map((image) => texts(image, 'HEALTHCHECK'));
    expect(one).toHaveLength(1);
    expect(other).toEqual(one);
  });

  it('takes a Node.js that the package allows', () => {
    const version = Number(/node:(\d+)/.exec(stage('cpu').image)?.[1]);
    const least = Number(/>=(\d+)/.exec(manifest.engines.node)?.[1]);
    expect(version).toBeGreaterThan(least);
    expect(stage('build').image).toBe(stage('cpu').image);
  });

  const library = join(root, 'node_modules/@node-llama-cpp/linux-x64-cuda/bins/linux-x64-cuda/libggml-cuda.so');
  it.runIf(existsSync(library))('takes the CUDA that the prebuilt library was linked with', () => {
    const bytes = beginningOf(library, 4 * 1024 * 1024);
    const major = (name: string) => {
      const at = bytes.indexOf(`${name}.so.`);
      return at < 0 ? '' : bytes.toString('latin1', at, bytes.indexOf(0, at)).split('.so.')[1];
    };
    const [, version = ''] = /^nvidia\/cuda:(\d+)\.\d+\.\d+-base-/.exec(stage('cuda').image) ?? [];
    expect([major('libcudart'), major('libcublas')]).toEqual([version, version]);
    expect(texts(stage('cuda'), 'RUN').join(' ')).toMatch(new RegExp(`libcublas-${version}-\\d+ libstdc\\+\\+6`));
  });
});
