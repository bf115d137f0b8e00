import { afterEach, describe, expect, it } from 'vitest';
import { askedModel, type HubModel, listHubModels } from '../../src/models/hub.ts';
import { parseHubName, quantizationOf, showHubName } from '../../src/models/hub-name.ts';
import { findHubProjector } from '../../src/models/named-projector.ts';
import { type HubFixture, type HubTrouble, startHub } from './hub-fixture.ts';

const open: HubFixture[] = [];
afterEach(async () => {
  for (const hub of open.splice(0)) await hub.close();
});

const files = {
  'README.md': new Uint8Array(10),
  'mmproj-model-f16.gguf': new Uint8Array(5),
  'moondream2-mmproj-f16.gguf': new Uint8Array(5),
  'imatrix.gguf': new Uint8Array(5),
  'Model-Q8_0.gguf': new Uint8Array(40),
  'Model-Q4_K_M.gguf': new Uint8Array(20),
  'F16/Model-F16-00001-of-00002.gguf': new Uint8Array(50),
  'F16/Model-F16-00002-of-00002.gguf': new Uint8Array(30),
  'broken-00001-of-00002.gguf': new Uint8Array(1),
  // A name that would write lines and orders to a terminal.
  'Model\u001b[1A\nserve-model: all is well-Q2_K.gguf': new Uint8Array(2),
};

async function models(trouble: HubTrouble = {}, name = 'owner/repo', token?: string): Promise<HubModel[]> {
  const hub = await startHub(files, trouble);
  open.push(hub);
  const parsed = parseHubName(name);
  if (!parsed) throw new Error(`${name} is no hub name`);
  return listHubModels(parsed, { endpoint: hub.endpoint, token, signal: new AbortController().signal });
}

describe('parseHubName', () => {
  it.each([
    ['hf:Qwen/Qwen3-4B-GGUF', 'hf:Qwen/Qwen3-4B-GGUF'],
    ['Qwen/Qwen3-4B-GGUF:q4_k_m', 'hf:Qwen/Qwen3-4B-GGUF:q4_k_m'],
    ['https://huggingface.co/a/b', 'hf:a/b'],
    ['hf.co/a/b:Q8_0', 'hf:a/b:Q8_0'],
    ['hf:a/b/sub/c.gguf', 'hf:a/b/sub/c.gguf'],
  ])('reads %s', (text, shown) => {
    const name = parseHubName(text);
    expect(name && showHubName(name)).toBe(shown);
  });

  it.each([
    'model.gguf',
    './a/b',
    '/a/b',
    'a',
    'a/b/c',
    'models/x.gguf',
    '../a/b',
    'a/..',
    'hf:a/b/../c.gguf',
    'hf:a/b/c.bin',
    'a/b:',
    '',
  ])('takes %s for a path', (text) => {
    expect(parseHubName(text)).toBeUndefined();
  });
});

describe('quantizationOf', () => {
  it.each([
    ['Model-Q4_K_M.gguf', 'Q4_K_M'],
    ['model.q8_0.gguf', 'Q8_0'],
    ['Model-UD-IQ2_XXS.gguf', 'UD-IQ2_XXS'],
    ['Model-BF16-00001-of-00002.gguf', 'BF16'],
    ['gpt-oss-20b-mxfp4.gguf', 'MXFP4'],
    ['Qwen3-4B.gguf', undefined],
    ['model.gguf', undefined],
  ])('of %s is %s', (name, quantization) => {
    expect(quantizationOf(name)).toBe(quantization);
  });
});

describe('listHubModels', () => {
  it.each([{}, { pages: true }])(
    'groups parts, leaves out projectors and incomplete sets, smallest first (%o)',
    async (trouble) => {
      expect(
        (await models(trouble)).map(({ quantization, bytes, files }) => [quantization, bytes, files.length]),
      ).toEqual([
        ['Q4_K_M', 20, 1],
        ['Q8_0', 40, 1],
        ['F16', 80, 2],
      ]);
    },
  );

  it('have the projector of their name, in half precision', async () => {
    const bytes = new Uint8Array(3);
    const hub = await startHub({
      'Eye-7B-Q4_K_M.gguf': bytes,
      'mmproj-Eye-7B-Q8_0.gguf': bytes,
      'mmproj-Eye-7B-f16.gguf': bytes,
      'mmproj-F32.gguf': bytes,
      'mmproj-Ear-7B-f16.gguf': bytes,
    });
    open.push(hub);
    const name = parseHubName('owner/repo');
    if (!name) throw new Error('no name');
    const found = await listHubModels(name, {
      endpoint: hub.endpoint,
      token: undefined,
      signal: new AbortController().signal,
    });
    expect(found.map(({ files, projector }) => [files.length, files[0]?.path, projector?.path])).toEqual([
      [1, 'Eye-7B-Q4_K_M.gguf', 'mmproj-Eye-7B-f16.gguf'],
    ]);
  });

  it('finds the projector that a name means: of the model’s name, of the best precision', async () => {
    const bytes = new Uint8Array(3);
    const names = ['Eye-7B-Q8_0', 'mmproj-Ear-7B-F16', 'mmproj-Eye-7B-F32', 'mmproj-Eye-7B-F16', 'mmproj-Eye-7B-Q8_0'];
    const hub = await startHub(Object.fromEntries(names.map((name) => [`${name}.gguf`, bytes])));
    open.push(hub);
    const find = async (text: string, model: string) => {
      const name = parseHubName(text);
      if (!name) throw new Error(`${text} is no hub name`);
      const access = { endpoint: hub.endpoint, token: undefined, signal: new AbortController().signal };
      return (await findHubProjector(name, { model }, access)).files.map(({ path }) => path);
    };
    expect(await find('owner/repo', '/models/Eye-7B-Q4_K_M.gguf')).toEqual(['mmproj-Eye-7B-F16.gguf']);
    expect(await find('owner/repo', '/models/Ear-7B-Q4_K_M.gguf')).toEqual(['mmproj-Ear-7B-F16.gguf']);
    expect(await find('owner/repo:q8_0', '/models/Ear-7B.gguf')).toEqual(['mmproj-Eye-7B-Q8_0.gguf']);
    expect(await find('owner/repo/mmproj-Eye-7B-F32.gguf', 'x')).toEqual(['mmproj-Eye-7B-F32.gguf']);
    await expect(find('owner/repo:Q4_0', 'x')).rejects.toThrow(
      /^hf:owner\/repo:Q4_0 is no projector \(mmproj\)\. owner\/repo has mmproj-Ear-7B-F16\.gguf, /,
    );
  });

  it.each<[string, HubTrouble, string, string | undefined, RegExp]>([
    [
      'no such repository',
      {},
      'owner/other',
      undefined,
      /^There is no owner\/other on 127.0.0.1:\d+\. Check the name\.$/,
    ],
    [
      'no token',
      { token: 'right' },
      'owner/repo',
      undefined,
      /does not show owner\/repo to this machine\. .*--hf-token/,
    ],
    ['a wrong token', { token: 'right' }, 'owner/repo', 'wrong', /does not show owner\/repo .*accept the terms/],
  ])('explains %s', async (_, trouble, name, token, sentence) => {
    await expect(models(trouble, name, token)).rejects.toThrow(sentence);
  });

  it('uses the token', async () => {
    expect(await models({ token: 'right' }, 'owner/repo', 'right')).toHaveLength(3);
  });

  it('explains a hub that is not there', async () => {
    const hub = await startHub({});
    await hub.close();
    const name = parseHubName('a/b');
    const access = { endpoint: hub.endpoint, token: undefined, signal: new AbortController().signal };
    await expect(name && listHubModels(name, access)).rejects.toThrow(/cannot be reached\. Check the network/);
  });
});

describe('askedModel', () => {
  const ask = async (name: string) => {
    const parsed = parseHubName(name);
    if (!parsed) throw new Error(`${name} is no hub name`);
    return askedModel(parsed, await models())?.quantization;
  };
  it('finds what the name asks for', async () => {
    expect(await ask('owner/repo:q8_0')).toBe('Q8_0');
    expect(await ask('hf:owner/repo/Model-Q4_K_M.gguf')).toBe('Q4_K_M');
    expect(await ask('hf:owner/repo/F16/Model-F16-00002-of-00002.gguf')).toBe('F16');
    expect(await ask('owner/repo')).toBeUndefined();
  });
  it('lists what there is when that is not there', async () => {
    await expect(ask('owner/repo:Q5_0')).rejects.toThrow('owner/repo holds no Q5_0. It has Q4_K_M, Q8_0, F16.');
    await expect(ask('hf:owner/repo/x.gguf')).rejects.toThrow('owner/repo holds no file x.gguf. It has');
  });
});
