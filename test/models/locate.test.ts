import { copyFile, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { locateModel } from '../../src/models/locate.ts';

let folder = '';
const at = (...names: readonly string[]) => join(folder, ...names);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-locate-'));
  await mkdir(at('models'));
  await mkdir(at('elsewhere', 'linked'), { recursive: true });
  await symlink(at('elsewhere', 'linked'), at('models', 'link'));
  for (const path of [
    at('models', 'good.gguf'),
    at('elsewhere', 'secret.gguf'),
    at('elsewhere', 'linked', 'shared.gguf'),
  ])
    await copyFile(bundledModelPath, path);
});
afterAll(() => rm(folder, { recursive: true }));

describe('a model for who may only load from the models folder', () => {
  const locate = (given: string) => locateModel(given, { modelsDir: at('models'), folderOnly: true });

  it('is found there, behind links that lie there too', async () => {
    expect(await locate(at('models', 'good.gguf'))).toEqual({ type: 'local', path: at('models', 'good.gguf') });
    expect(await locate(at('models', 'link', 'shared.gguf'))).toMatchObject({ type: 'local' });
    expect(await locate('good')).toEqual({ type: 'local', path: at('models', 'good.gguf') });
  });

  it.each([
    ['beside the folder', () => at('elsewhere', 'secret.gguf')],
    ['by way of the folder', () => `${at('models')}/../elsewhere/secret.gguf`],
    // To the system, `..` behind a link is the folder around what it leads to.
    ['by way of a link in the folder', () => `${at('models')}/link/../secret.gguf`],
    ['of no file', () => at('elsewhere', 'nothing.gguf')],
  ])('is not found %s', async (_, path) => {
    await expect(locate(path())).rejects.toThrow(/Only models in the models folder|There is no model/);
  });
});
