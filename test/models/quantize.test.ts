import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { entry, listEntry, type Tensor, writeGguf } from '../../scripts/bench/gguf.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { checkImportance, readImportance } from '../../src/models/importance-matrix.ts';
import { quantizationType } from '../../src/models/quantization-types.ts';
import { checkOutput, checkRoom } from '../../src/models/quantize.ts';
import { readQuantizeInput, refuseFolder } from '../../src/models/quantize-input.ts';
import { LineSplitter, needsImportance, readTensorLine, reasonIn } from '../../src/models/quantize-log.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-quantize-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** As the library writes it: a trial that changes a tensor, one that leaves it, and what stands there in earnest. */
const changed =
  '[   2/  56] blk.0.attn_k.weight                  - [   192,   192,     1,     1], type =    f16, size =     0.07 MiB ->     0.04 MiB (q4_K)';
const left =
  '[   1/  56] output_norm.weight                   - [   192,     1,     1,     1], type =    f32, size =    0.001 MiB';
const earnest =
  '[  12/1200] blk.0.ffn_up.weight                  - [   192,   512,     1,     1], type =   bf16, converting to q8_0 .. size =     0.19 MiB ->     0.10 MiB';

describe("the library's log", () => {
  it('tells of each tensor what it is and what becomes of it', () => {
    expect(readTensorLine(changed)).toEqual({
      ...{ index: 2, count: 56, name: 'blk.0.attn_k.weight', from: 'F16', to: 'Q4_K' },
    });
    expect(readTensorLine(left)).toEqual({ index: 1, count: 56, name: 'output_norm.weight', from: 'F32', to: 'F32' });
    expect(readTensorLine(earnest)).toMatchObject({
      index: 12,
      count: 1200,
      name: 'blk.0.ffn_up.weight',
      from: 'BF16',
    });
    expect(readTensorLine('llama_model_loader: - type  f32:   13 tensors')).toBeUndefined();
    expect(needsImportance(changed)).toBe(false);
    expect(reasonIn(`${left}\nllama_model_quantize: failed to quantize: no more\n`)).toBe('no more');
    expect(reasonIn(left)).toBeUndefined();
  });

  it('is the same lines however it is cut', () => {
    const text = `${changed}\n${left}\n${earnest}`;
    for (let cut = 0; cut <= text.length; cut++) {
      const lines = new LineSplitter();
      expect([...lines.push(text.slice(0, cut)), ...lines.push(text.slice(cut)), ...lines.end()]).toEqual([
        changed,
        left,
        earnest,
      ]);
    }
  });
});

describe('quantizationType', () => {
  it('knows the names of the library in any case, and lists them', () => {
    expect(quantizationType('q4_k_m')).toEqual({ name: 'Q4_K_M', number: 15 });
    expect(quantizationType('Q5_K')).toEqual({ name: 'Q5_K_M', number: 17 });
    expect(() => quantizationType('Q9')).toThrow(/There is no type Q9\. Known: F32, F16, Q4_0, .*Q8_0/);
    expect(() => quantizationType('NVFP4')).toThrow(/no type NVFP4/);
  });
});

describe('checkOutput and checkRoom', () => {
  it('refuse what must not be written, before anything is', async () => {
    const input = { path: join(folder, 'in.gguf') };
    await writeFile(input.path, 'in');
    await writeFile(join(folder, 'other.gguf'), 'other');
    await mkdir(join(folder, 'sub'));
    const check = (name: string, force = false) => checkOutput(join(folder, name), input, force);
    await check('new.gguf');
    await check('other.gguf', true);
    await expect(check('other.gguf')).rejects.toThrow(/is there already.*--force/);
    await expect(check('sub/../in.gguf', true)).rejects.toThrow(/is the model itself/);
    await expect(check('sub', true)).rejects.toThrow(/is a folder/);
    await expect(check('none/new.gguf')).rejects.toThrow(/there is no folder/);
    await expect(checkOutput('/dev/null', input, true)).rejects.toThrow(/no regular file/);
    const plan = { fileBytes: 3_000_000, type: quantizationType('Q8_0') };
    await checkRoom(join(folder, 'new.gguf'), plan, async () => 3_000_000);
    await expect(checkRoom('/x/new.gguf', plan, async () => 2_999_999)).rejects.toMatchObject({
      code: 'storage_full',
      message: expect.stringContaining('would take 3.0 MB as Q8_0, and 3.0 MB are free'),
    });
    expect((await readdir(folder)).sort()).toEqual(['in.gguf', 'other.gguf', 'sub']);
  });
});

describe('readQuantizeInput', () => {
  it('takes whole models in one file only', async () => {
    expect(await readQuantizeInput(bundledModelPath)).toMatchObject({ quantized: 'Q8_0' });
    await expect(readQuantizeInput(bundledModelPath.replace('.gguf', '-mmproj.gguf'))).rejects.toThrow(/a projector/);
    await expect(refuseFolder(folder)).rejects.toThrow(/is a folder/);
    const part = join(folder, 'split.gguf');
    const facts = [entry('general.architecture', 'string', 'llama'), entry('split.count', 'uint32', 3)];
    writeGguf(part, facts, []);
    await expect(readQuantizeInput(part)).rejects.toThrow(/one of 3 parts\. Join them/);
    await rm(part);
  });
});

describe('readImportance', () => {
  const numbers = (name: string, shape: readonly number[], values: readonly number[]): Tensor => ({
    name,
    shape,
    type: 'F32',
    data: () => new Uint8Array(Float32Array.from(values).buffer),
  });
  const datasets = listEntry('imatrix.datasets', 'string', ['words.txt']);

  it('gives the means of each expert, and the same for all where nothing was counted', async () => {
    const path = join(folder, 'imatrix.gguf');
    writeGguf(
      path,
      [datasets],
      [
        numbers('a.weight.in_sum2', [2, 2], [4, 8, 5, 6]),
        numbers('a.weight.counts', [1, 2], [4, 0]),
        numbers('b.weight.in_sum2', [3], [2, 4, 6]),
        numbers('b.weight.counts', [1], [2]),
      ],
    );
    await checkImportance(path);
    expect(await readImportance(path)).toEqual(
      new Map([
        ['a.weight', Float32Array.of(1, 2, 1, 1)],
        ['b.weight', Float32Array.of(1, 2, 3)],
      ]),
    );
  });

  it('refuses what is none', async () => {
    const path = join(folder, 'damaged.gguf');
    await expect(checkImportance(bundledModelPath)).rejects.toThrow(/is a model, no importance matrix/);
    writeGguf(path, [datasets], [numbers('a.weight.in_sum2', [2], [1, 2])]);
    await expect(checkImportance(path)).rejects.toThrow(/"a\.weight" has no counts/);
    writeGguf(path, [datasets], []);
    await expect(checkImportance(path)).rejects.toThrow(/has counted nothing/);
  });
});
