import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath, findModel, modelName } from '../../src/models/find-model.ts';

let root = '';
const at = (...names: readonly string[]) => join(root, ...names);

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-model-find-'));
  const files = [
    'one/model.gguf',
    'one/mmproj-model.gguf',
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
  ];
  for (const file of files) {
    await mkdir(at(file.split('/')[0] ?? ''), { recursive: true });
    await writeFile(at(file), '');
  }
});
afterAll(() => rm(root, { recursive: true }));

describe('findModel', () => {
  it('takes a file, whatever it holds', async () => {
    expect(await findModel(at('none/notes.txt'))).toEqual({
      path: at('none/notes.txt'),
      parts: [at('none/notes.txt')],
    });
  });

  it('takes the only model of a folder and no projector', async () => {
    expect((await findModel(at('one'))).path).toBe(at('one/model.gguf'));
    expect((await findModel(at('capital'))).path).toBe(at('capital/MODEL.GGUF'));
  });

  it.each(['split', 'split/big-00001-of-00003.gguf', 'split/big-00003-of-00003.gguf'])(
    'takes all parts of a split model for %s',
    async (target) => {
      const parts = [1, 2, 3].map((part) => at(`split/big-0000${part}-of-00003.gguf`));
      expect(await findModel(at(target))).toEqual({ path: parts[0], parts });
    },
  );

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
