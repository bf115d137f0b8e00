import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ServeError } from '../../src/contract/errors.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { parseGguf, readGguf } from '../../src/models/gguf.ts';
import { array, entry, ggufBytes, numberEntry, string, stringEntry, tensor, uint32, uint64 } from './gguf-bytes.ts';

function parse(bytes: Uint8Array) {
  return parseGguf(bytes, bytes.length);
}

function refusal(bytes: Uint8Array): string {
  try {
    parse(bytes);
  } catch (error) {
    if (error instanceof ServeError && error.code === 'invalid_request') return error.message;
    throw error;
  }
  throw new Error('the file was accepted');
}

const name = entry('general.name', 8, string('tiny'));

describe('parseGguf', () => {
  it('reads metadata of every type and the tensors', () => {
    const header = parse(
      ggufBytes({
        entries: [
          stringEntry('a.text', 'grüß dich'),
          numberEntry('a.number', 7),
          entry('a.byte', 1, new Uint8Array([255])),
          entry('a.switch', 7, new Uint8Array([1])),
          entry('a.float', 12, new Uint8Array(new Float64Array([0.25]).buffer)),
          entry('a.exact', 10, uint64(12_345n)),
          entry('a.huge', 10, uint64(2n ** 64n - 1n)),
          entry('a.list', 9, array(4, [uint32(1), uint32(2)])),
          entry('a.words', 9, array(8, [string('x'), string('')])),
          entry(
            'a.tokens',
            9,
            array(
              8,
              Array.from({ length: 65 }, () => string('token')),
            ),
          ),
          entry(
            'a.scores',
            9,
            array(
              6,
              Array.from({ length: 65 }, () => uint32(0)),
            ),
          ),
        ],
        tensors: [tensor('weight', [32n, 2n], 8, 0n), tensor('bias', [4n], 0, 96n)],
        weights: 112,
      }),
    );
    expect(Object.fromEntries(header.metadata)).toEqual({
      'a.text': 'grüß dich',
      'a.number': 7,
      'a.byte': -1,
      'a.switch': true,
      'a.float': 0.25,
      'a.exact': 12_345,
      'a.huge': '18446744073709551615',
      'a.list': [1, 2],
      'a.words': ['x', ''],
      'a.tokens': { array: 'string', length: 65 },
      'a.scores': { array: 'number', length: 65 },
    });
    expect(header.tensors).toEqual([
      {
        name: 'weight',
        type: 'Q8_0',
        typeNumber: 8,
        values: 64,
        shape: [32, 2],
        offset: expect.any(Number),
        bytes: 68,
      },
      { name: 'bias', type: 'F32', typeNumber: 0, values: 4, shape: [4], offset: expect.any(Number), bytes: 16 },
    ]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    ['an empty file', new Uint8Array(), /^This file is empty/],
    [
      'another format',
      new TextEncoder().encode('PK\u0003\u0004 zip'),
      /^This is no GGUF file: .* Give a model in GGUF format/,
    ],
    ['three letters', new TextEncoder().encode('GGU'), /^This is no GGUF file/],
    ['big-endian', ggufBytes({ version: 3 * 2 ** 24 }), /^This GGUF file is big-endian, which is not supported/],
    ['only the magic', new TextEncoder().encode('GGUF'), /ends in the middle/],
    ['version 1', ggufBytes({ version: 1 }), /^This GGUF file has version 1; versions 2 and 3 can be read/],
    ['more entries than bytes', ggufBytes({ entryCount: 2n ** 60n }), /announces 1152921504606\d+ metadata entries/],
    ['more tensors than bytes', ggufBytes({ tensorCount: 2n ** 63n }), /announces 9223372036854\d+ tensors/],
    [
      'a text longer than the file',
      ggufBytes({ entries: [entry('a', 8, string('x', 2n ** 50n))] }),
      /letters in one text/,
    ],
    [
      'an array longer than the file',
      ggufBytes({ entries: [entry('a', 9, array(0, [], 2n ** 40n))] }),
      /values in one array/,
    ],
    [
      'an array of arrays',
      ggufBytes({ entries: [entry('a', 9, array(9, [uint64(0n), uint64(0n)]))] }),
      /array of the unknown type 9/,
    ],
    ['an unknown type', ggufBytes({ entries: [entry('a', 13, uint64(0n))] }), /unknown type 13/],
    ['an alignment of 0', ggufBytes({ entries: [numberEntry('general.alignment', 0)] }), /alignment/],
    ['an alignment of 48', ggufBytes({ entries: [numberEntry('general.alignment', 48)] }), /alignment/],
    ['five dimensions', ggufBytes({ tensors: [tensor('a', [1n, 1n, 1n, 1n, 1n], 0, 0n)], weights: 4 }), /5 dimensions/],
    ['half a block', ggufBytes({ tensors: [tensor('a', [31n], 8, 0n)], weights: 64 }), /odd size/],
    [
      'one tensor twice',
      ggufBytes({ tensors: [tensor('a', [1n], 0, 0n), tensor('a', [1n], 0, 4n)], weights: 8 }),
      /comes twice/,
    ],
    [
      'a missing byte of weights',
      ggufBytes({ tensors: [tensor('a', [2n], 0, 0n)], weights: 7 }),
      /announces .* bytes of weights/,
    ],
    [
      'a tensor beyond the file',
      ggufBytes({ tensors: [tensor('a', [1n], 0, 2n ** 62n)], weights: 4 }),
      /bytes of weights/,
    ],
    [
      'an enormous tensor',
      ggufBytes({ tensors: [tensor('a', [2n ** 62n, 2n ** 62n], 0, 0n)], weights: 4 }),
      /bytes of weights/,
    ],
  ])('refuses %s', (_, bytes, sentence) => {
    expect(refusal(bytes)).toMatch(sentence);
  });

  it('refuses every truncation of a small file', () => {
    const bytes = ggufBytes({ entries: [name], tensors: [tensor('a', [2n], 0, 0n)], weights: 8 });
    for (let length = 0; length < bytes.length; length++) refusal(bytes.slice(0, length));
    expect(parse(bytes).tensors).toHaveLength(1);
  });
});

describe('readGguf', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'serve-model-gguf-'));
  });
  afterAll(() => rm(folder, { recursive: true }));

  it('reads a header that is longer than the first piece', async () => {
    const path = join(folder, 'long.gguf');
    const long = stringEntry('tokenizer.chat_template', 'x'.repeat(3_000_000));
    await writeFile(path, ggufBytes({ entries: [long, name] }));
    expect((await readGguf(path)).metadata.get('general.name')).toBe('tiny');
  });

  it('names the file in its errors', async () => {
    const path = join(folder, 'wrong.gguf');
    await writeFile(path, 'hello');
    await expect(readGguf(path)).rejects.toThrow(`${path}: This is no GGUF file`);
    await expect(readGguf(join(folder, 'none.gguf'))).rejects.toThrow(`${folder}/none.gguf cannot be opened`);
    await expect(readGguf(folder)).rejects.toThrow(ServeError);
  });

  it('reads the bundled model', async () => {
    const header = await readGguf(bundledModelPath);
    expect(header.metadata.get('general.architecture')).toBe('llama');
    expect(header.tensors.reduce((sum, tensor) => sum + tensor.values, 0)).toBe(3_049_920);
  });
});

describe('a damaged model', () => {
  /** A small generator with a seed, so that a failure can be repeated. */
  function random(seed: number): () => number {
    let state = seed;
    return () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    };
  }
  /** Bytes before the weights of the bundled model. */
  const headerSize = 66_000;

  it('is a header or a sentence for every flipped byte', async () => {
    const bundled = await readFile(bundledModelPath);
    const next = random(7);
    let refused = 0;
    for (let round = 0; round < 300; round++) {
      const bytes = new Uint8Array(bundled);
      const at = Math.floor(next() * (round < 200 ? 1500 : headerSize));
      bytes[at] = (bytes[at] ?? 0) ^ (1 + Math.floor(next() * 255));
      try {
        parse(bytes);
      } catch (error) {
        expect(error, `byte ${at}`).toBeInstanceOf(ServeError);
        refused++;
      }
    }
    expect(refused).toBeGreaterThan(30);
  });

  it('is refused wherever it is cut off', async () => {
    const bundled = await readFile(bundledModelPath);
    for (let point = 0; point < 50; point++) {
      const length = Math.floor((bundled.length * point) / 50);
      expect(refusal(new Uint8Array(bundled.subarray(0, length)))).toMatch(/\.$/);
    }
  });
});
