import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath, findModel, modelName } from '../../src/models/find-model.ts';
import { ggufBytes, stringEntry } from './gguf-bytes.ts';

const architecture = (name: string) => stringEntry('general.architecture', name);
const type = (name: string) => stringEntry('general.type', name);
/** What lies beside models, under names that do not tell it. */
const others = {
  'moondream2-mmproj-f16.gguf': [architecture('clip')],
  'sound.gguf': [architecture('llama'), type('mmproj')],
  'style.gguf': [architecture('llama'), type('adapter')],
  'data.gguf': [type('imatrix')],
  'steering.gguf': [architecture('controlvector')],
};

let root = '';
const at = (...names: readonly string[]) => join(root, ...names);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-model-find-'));
  const files = [
    'one/model.gguf',
    'one/notes.txt',
    'several/a.gguf',
    'several/b.gguf',
    'none/notes.txt',
    'split/big-00001-of-00003.gguf',
    'split/big-00002-of-00003.gguf',
    'split/big-00003-of-00003.gguf',
    'broken/big-00001-of-00002.gguf',
    'many/1.gguf',
    'many/2.gguf',
    'many/3.gguf',
    'many/4.gguf',
    'many/5.gguf',
    'many/6.gguf',
    'capital/MODEL.GGUF',
    'shouted/M-00001-of-00002.GGUF',
    'shouted/M-00002-of-00002.gguf',
    'later/big-00002-of-00002.gguf',
    'odd/big-00003-of-00002.gguf',
    'linked/real.gguf',
  ];
  for (const file of files) {
    await mkdir(at(file.split('/')[0] ?? ''), { recursive: true });
    await writeFile(at(file), '');
  }
  for (const [name, entries] of Object.entries(others)) await writeFile(at('one', name), ggufBytes({ entries }));
  await mkdir(at('projector'));
  await writeFile(at('projector/clip.gguf'), ggufBytes({ entries: others['moondream2-mmproj-f16.gguf'] }));
  await mkdir(at('linked/folder.gguf'));
  await symlink(at('nowhere.gguf'), at('linked/dangling.gguf'));
});
afterAll(() => rm(root, { recursive: true }));

describe('findModel', () => {
  it('takes a file, whatever it holds', async () => {
    expect(await findModel(at('none/notes.txt'))).toEqual({
      path: at('none/notes.txt'),
      parts: [at('none/notes.txt')],
    });
  });

  it('takes the only model of a folder, and nothing that only looks like one', async () => {
    expect((await findModel(at('one'))).path).toBe(at('one/model.gguf'));
    expect((await findModel(at('linked'))).path).toBe(at('linked/real.gguf'));
    expect((await findModel(at('capital'))).path).toBe(at('capital/MODEL.GGUF'));
  });

  it.each(['split', 'split/big-00001-of-00003.gguf', 'split/big-00003-of-00003.gguf'])(
    'takes all parts of a split model for %s',
    async (target) => {
      const parts = [1, 2, 3].map((part) => at(`split/big-0000${part}-of-00003.gguf`));
      expect(await findModel(at(target))).toEqual({ path: parts[0], parts });
    },
  );

  it('takes the parts under the names that they have', async () => {
    const parts = ['shouted/M-00001-of-00002.GGUF', 'shouted/M-00002-of-00002.gguf'].map((name) => at(name));
    for (const target of ['shouted', ...parts]) {
      expect(await findModel(target === 'shouted' ? at(target) : target)).toEqual({ path: parts[0], parts });
    }
  });

  it('takes a name as it is that counts more parts than there can be', async () => {
    expect((await findModel(at('odd'))).parts).toEqual([at('odd/big-00003-of-00002.gguf')]);
  });

  it('takes the bundled model for nothing', async () => {
    expect(await findModel(undefined)).toEqual({ path: bundledModelPath, parts: [bundledModelPath] });
  });

  it.each([
    ['gone.gguf', () => `There is no model ${at('gone.gguf')}. Give a .gguf file or a folder that holds one.`],
    ['none', () => `The folder ${at('none')} holds no .gguf file. Give a model file.`],
    ['several', () => `The folder ${at('several')} holds several models: a.gguf, b.gguf. Give one of these files.`],
    [
      'many',
      () =>
        `The folder ${at('many')} holds several models: 1.gguf, 2.gguf, 3.gguf, 4.gguf, 5.gguf and 1 more. Give one of these files.`,
    ],
    [
      'projector',
      () =>
        `The folder ${at('projector')} holds no model: clip.gguf is a projector, the part of a model that reads images or sound. Give the model that it belongs to.`,
    ],
    [
      'later',
      () =>
        `The model ${at('later/big-00002-of-00002.gguf')} is split in 2 parts and ${at('later/big-00001-of-00002.gguf')} is missing. Download it too.`,
    ],
    [
      'broken',
      () =>
        `The model ${at('broken/big-00001-of-00002.gguf')} is split in 2 parts and ${at('broken/big-00002-of-00002.gguf')} is missing. Download it too.`,
    ],
  ])('refuses %s with a sentence', async (target, sentence) => {
    await expect(findModel(at(target))).rejects.toThrow(expect.objectContaining({ message: sentence() }));
  });
});

describe('modelName', () => {
  it.each([
    ['/m/Some.Model-Q4_K_M.gguf', 'Some.Model-Q4_K_M'],
    ['/m/big-00001-of-00003.gguf', 'big'],
    ['/m/UPPER.GGUF', 'UPPER'],
    ['/m/odd', 'odd'],
  ])('of %s is %s', (path, name) => {
    expect(modelName(path)).toBe(name);
  });
});
