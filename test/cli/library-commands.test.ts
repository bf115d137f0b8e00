import { mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type InspectReaders, inspectModel, listModels, removeModel } from '../../src/cli/library-commands.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { localModels } from '../../src/models/library.ts';
import { ggufBytes, stringEntry } from '../models/gguf-bytes.ts';
import { writeTinyBert } from '../support/tiny-bert.ts';
import { gigabyte, LibraryPlace, smallModel } from './library-place.ts';
import { recordTerminal } from './terminal-recorder.ts';

let place: LibraryPlace;
beforeEach(async () => {
  place = await LibraryPlace.open();
});
afterEach(() => place.close());

describe('listModels', () => {
  it('shows every model of the folder, sound or not', async () => {
    await place.local('owner/repo/m-Q8_0');
    await place.local('plain');
    await writeFile(join(place.folder, 'broken.gguf'), 'hello');
    const { terminal, out } = recordTerminal();
    await listModels(place.config(), terminal);
    const lines = out().split('\n');
    expect(lines[0]).toMatch(/^broken +.*This is no GGUF file/);
    expect(lines.slice(1)).toEqual([
      expect.stringMatching(/^owner\/repo\/m-Q8_0 +\d+ bytes {2}Q8_0 {2}llama +unknown$/),
      expect.stringMatching(/^plain +\d+ bytes {2}Q8_0 {2}llama +unknown$/),
      '',
    ]);
  });

  it('gives each model one line, whatever its file is called and says of itself', async () => {
    await place.local('plain\nother  1 MB\u001b[1A');
    const { terminal, out } = recordTerminal();
    await listModels(place.config(), terminal);
    await inspectModel(join(place.folder, 'plain\nother  1 MB\u001b[1A.gguf'), place.options(terminal));
    await removeModel('plain\nother  1 MB\u001b[1A', place.config(), terminal);
    const lines = out().split('\n');
    expect(lines.filter((line) => line.startsWith('other'))).toEqual([]);
    expect(lines[0]).toMatch(/^plain\\nother {2}1 MB\\u001b\[1A +\d+ bytes/);
    expect(out()).not.toContain('\u001b');
  });

  it('says how to get one when there is none', async () => {
    const { terminal, out } = recordTerminal();
    await listModels(place.config(['--models-dir', join(place.folder, 'none')]), terminal);
    expect(out()).toBe(
      `There are no models in ${join(place.folder, 'none')}. serve-model pull hf:owner/repo downloads one.\n`,
    );
  });
});

describe('localModels', () => {
  it('reads a header once, and again when the file has changed', async () => {
    await place.local('plain');
    const read = new Map();
    const [first] = await localModels(place.folder, read);
    const [again] = await localModels(place.folder, read);
    expect(again).toBe(first);
    await writeFile(join(place.folder, 'plain.gguf'), smallModel(20));
    const [changed] = await localModels(place.folder, read);
    expect(changed?.profile?.sizeBytes).toBe(smallModel(20).length);
    await rm(join(place.folder, 'plain.gguf'));
    expect(await localModels(place.folder, read)).toEqual([]);
  });
});

describe('the models folder', () => {
  const ids = async () => (await localModels(place.folder)).map(({ id }) => id);

  it('goes on in linked folders, each once, whatever links there are', async () => {
    const disk = await mkdtemp(join(tmpdir(), 'serve-model-disk-'));
    await mkdir(join(disk, 'deep'));
    for (const name of ['big', 'deep/bigger']) await writeFile(join(disk, `${name}.gguf`), smallModel(10));
    await place.local('owner/m');
    await symlink(disk, join(place.folder, 'disk'));
    // Links in a circle, to what is listed already, and to nothing.
    await symlink(place.folder, join(disk, 'deep/back'));
    await symlink(join(disk, 'deep'), join(place.folder, 'disk-again'));
    await symlink(join(place.folder, 'owner'), join(place.folder, 'aaa'));
    await symlink(join(disk, 'nowhere'), join(place.folder, 'dangling.gguf'));
    await symlink(join(disk, 'big.gguf'), join(place.folder, 'file.gguf'));
    expect(await ids()).toEqual(['disk/big', 'disk/deep/bigger', 'file', 'owner/m']);

    const { terminal } = recordTerminal();
    await expect(removeModel('big', place.config(), terminal)).rejects.toThrow(
      `disk/big lies in ${await realpath(disk)}, which is only linked into the models folder. Delete it there.`,
    );
    await removeModel('file', place.config(), terminal);
    expect(await ids()).toEqual(['disk/big', 'disk/deep/bigger', 'owner/m']);
    await rm(disk, { recursive: true });
  });

  it.skipIf(process.platform === 'win32')(
    'spells out what a terminal would take as an order (no such names on Windows)',
    async () => {
      await mkdir(join(place.folder, 'o\u001b[2Jwner'));
      await writeFile(join(place.folder, 'o\u001b[2Jwner', 'a\nb\u202e.gguf'), smallModel(10));
      const [model] = await localModels(place.folder);
      expect(model?.id).toBe('o\\u001b[2Jwner/a\\nb\\u202e');
      expect(model?.profile?.id).toBe('a\\nb\\u202e');
      const { terminal, out } = recordTerminal();
      await removeModel('a\\nb\\u202e', place.config(), terminal);
      expect(out()).toMatch(/^deleted o\\u001b\[2Jwner\/a\\nb\\u202e, \d+ bytes\n$/);
      expect(await ids()).toEqual([]);
    },
  );

  it('takes no folder for a model, and shows other files as what they are', async () => {
    await place.local('x.GGUF/m');
    const clip = ggufBytes({ entries: [stringEntry('general.architecture', 'clip')] });
    await writeFile(join(place.folder, 'pictures.gguf'), clip);
    await place.local('big-00002-of-00003');
    const { terminal, out } = recordTerminal();
    await listModels(place.config(), terminal);
    expect(out().split('\n')).toEqual([
      expect.stringMatching(/^big .* is split in 3 parts and .*big-00001-of-00003.gguf is missing/),
      expect.stringMatching(/^pictures .* is a projector, the part of a model that reads images or sound/),
      expect.stringMatching(/^x\.GGUF\/m +\d+ bytes/),
      '',
    ]);
    await expect(removeModel('x.GGUF', place.config(), terminal)).rejects.toMatchObject({ code: 'model_not_found' });
  });
});

describe('removeModel', () => {
  it('deletes a model with all its parts and its empty folders', async () => {
    await place.local('owner/repo/big-00001-of-00002');
    await place.local('owner/repo/big-00002-of-00002');
    await place.local('owner/other/m');
    const { terminal, out } = recordTerminal();
    await removeModel('big', place.config(), terminal);
    expect(out()).toMatch(/^deleted owner\/repo\/big, \d+ bytes\n$/);
    await listModels(place.config(), terminal);
    expect(out()).not.toContain('big-');
    await expect(removeModel('big', place.config(), terminal)).rejects.toThrow(
      `There is no model big in ${place.folder}.`,
    );
  });

  it('does not choose between two and leaves everything outside the folder alone', async () => {
    await place.local('a/m');
    await place.local('b/m');
    const { terminal } = recordTerminal();
    await expect(removeModel('m', place.config(), terminal)).rejects.toThrow(
      'm may mean a/m, b/m. Give one of these names.',
    );
    await expect(removeModel(bundledModelPath, place.config(), terminal)).rejects.toThrow('There is no model');
    await expect(removeModel('../m', place.config(), terminal)).rejects.toThrow('There is no model');
  });
});

describe('inspectModel', () => {
  it('tells what a model is and what it takes', async () => {
    const { terminal, out } = recordTerminal();
    await inspectModel(
      bundledModelPath,
      place.options(terminal, 8 * gigabyte, ['--ctx-size', '1000', '--parallel', '2']),
    );
    expect(out().split('\n')).toEqual([
      'model          serve-model-demo',
      `file           ${bundledModelPath}`,
      'size           3.3 MB',
      'architecture   llama',
      'parameters     3.0M',
      'quantization   Q8_0',
      'context        trained for 4096 tokens',
      'chat template  yes',
      'chat format    hermes: its template writes <tool_call>',
      'reads          thoughts, tool calls',
      `sees           images, by the projector ${bundledModelPath.replace('.gguf', '-mmproj.gguf')} (1.7 MB, mlp)`,
      'memory         about 46.6 MB with 2 slots of 1000 tokens (f16):',
      '               5.0 MB weights, 9.2 MB context, 32.4 MB computing',
      '',
    ]);
  });

  it.each([
    ['keys in a smaller format', ['--cache-type-k', 'q8_0'], /7\.1 MB context, 32\.4 MB computing/],
    ['values in a larger one', ['--cache-type-v', 'f32'], /13\.8 MB context/],
    ['another batch', ['--batch-size', '64'], /9\.2 MB context, 25\.0 MB computing/],
    ['attention that holds its scores', ['--no-flash-attn'], /9\.2 MB context, 41\.5 MB computing/],
  ])('counts %s', async (_, flags, expected) => {
    const { terminal, out } = recordTerminal();
    const shape = ['--ctx-size', '1000', '--parallel', '2', ...flags];
    await inspectModel(bundledModelPath, place.options(terminal, 8 * gigabyte, shape));
    expect(out()).toMatch(expected);
  });

  it('tells what would go where on a GPU', async () => {
    const { terminal, out } = recordTerminal();
    const gpu = { name: 'CUDA0', description: 'a card', freeBytes: 8e9, totalBytes: 9e9, sharesMain: false };
    const load = (weights: number) => ({ weights, context: 1e9, compute: 5e8, total: weights + 1.5e9 });
    const placed = {
      gpuLayers: 49,
      layers: 49,
      expertLayers: 42,
      tensorSplit: undefined,
      main: load(15e9),
      gpus: [load(5e9)],
    };
    const shape = { contextSize: 8192, slots: 4, prefixCache: 0, short: true };
    const show = async (report: InspectReaders['place']) => {
      await inspectModel(bundledModelPath, { ...place.options(terminal), place: report });
      return out().split('\n').slice(-6, -1);
    };
    expect(await show(() => ({ gpus: [gpu], fit: { ...shape, placement: { ...shape, ...placed } } }))).toEqual([
      expect.stringMatching(/^sees/),
      'memory         about 23.0 GB with 4 slots of 8192 tokens (f16):',
      '               CUDA0 (a card, 8.0 GB free): 5.0 GB weights, 1.0 GB context, 500 MB computing',
      '               main memory: 15.0 GB weights, 1.0 GB context, 500 MB computing',
      'placement      experts of 42 layers in main memory (--n-cpu-moe 42)',
    ]);
    expect((await show(() => ({ gpus: [gpu], fit: { ...shape, placement: undefined } }))).at(-1)).toBe(
      'memory         not one layer fits the GPU: all of it is computed by the processor, with 4 slots of 8192 tokens (f16)',
    );
    expect((await show(() => ({ gpus: [gpu], fit: { tooLarge: 'It is too large.' } }))).at(-1)).toBe(
      'memory         It is too large.',
    );
  });

  it.each([
    [
      'a file without a template',
      [],
      ['none: give one with --chat-template-file for chat', 'plain: there is no template to tell it'],
    ],
    ['a family that is given', ['--chat-format', 'mistral'], ['none: give', 'mistral: given by --chat-format']],
  ])('tells the chat format of %s', async (_, flags, texts) => {
    await place.local('plain');
    const { terminal, out } = recordTerminal();
    await inspectModel('plain', place.options(terminal, 8 * gigabyte, flags));
    for (const text of texts) expect(out()).toContain(text);
  });

  it('tells the format of a template that it is given, and of one that only its turns tell', async () => {
    await place.local('plain');
    const template = join(place.folder, 'template.jinja');
    const show = async (text: string) => {
      await writeFile(template, text);
      const { terminal, out } = recordTerminal();
      await inspectModel('plain', place.options(terminal, 8 * gigabyte, ['--chat-template-file', template]));
      return out();
    };
    expect(await show('{{ "[TOOL_CALLS]" }}{{ "[ARGS]" }}')).toContain(
      'mistral: its template writes [TOOL_CALLS], [ARGS]',
    );
    expect(await show('{{ messages[0].content }}')).toContain('plain: its template has no marker of a known family');
    const own =
      '{% for m in messages %}{% if m.reasoning_content %}<ponder>{{ m.reasoning_content }}</ponder>{% endif %}{{ m.content }}{% endfor %}';
    expect(await show(own)).toContain('found in turns that its template renders');
  });

  it('says that a model is there for vectors', async () => {
    writeTinyBert(join(place.folder, 'bert.gguf'), { pooling: 'mean' });
    const { terminal, out } = recordTerminal();
    await inspectModel('bert', place.options(terminal));
    expect(out()).toContain('gives         embeddings or ranks: it cannot generate');
  });

  it('shows what the hub has and what it takes with the wanted context and slots', async () => {
    const { terminal, out } = recordTerminal();
    await inspectModel(
      'hf:owner/repo',
      place.options(terminal, 8 * gigabyte, ['--ctx-size', '1000', '--parallel', '2']),
    );
    expect(out()).toContain('takes 121 MB  fits, best choice');
  });

  it('weighs by size what the hub does not let it read, and says so', async () => {
    place.hub.trouble = { cuts: 9 };
    const { terminal, out, error } = recordTerminal();
    await inspectModel('hf:owner/repo', place.options(terminal));
    expect(error()).toContain('m-Q4_0.gguf is weighed by its size');
    expect(out()).toContain('takes 500 MB  fits, best choice');
  });
});
