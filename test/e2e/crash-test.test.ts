import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CrashTestOptions, crashTest } from '../../src/models/crash-test.ts';
import { bundledModelPath } from '../../src/models/find-model.ts';
import { readGguf } from '../../src/models/gguf.ts';
import { crashTestChild } from '../support/compiled-entries.ts';

let folder = '';
let bundled: Buffer;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'serve-model-crash-test-'));
  bundled = await readFile(bundledModelPath);
});
afterAll(() => rm(folder, { recursive: true }));

/** The bundled model with one number of its metadata replaced. */
async function withNumber(key: string, value: number): Promise<string> {
  const bytes = Buffer.from(bundled);
  bytes.writeUInt32LE(value, bytes.indexOf(key) + key.length + 4);
  const path = join(folder, `${key}-${value}.gguf`);
  await writeFile(path, bytes);
  return path;
}

function memory() {
  const known = new Set<string>();
  return { known, has: (key: string) => known.has(key), add: (key: string) => void known.add(key) };
}

const signal = new AbortController().signal;
const tryFile = (path: string, options: Omit<CrashTestOptions, 'entry'>) =>
  crashTest(path, { entry: crashTestChild, ...options });

describe('crashTest', () => {
  it('passes a sound model and remembers it', async () => {
    const remembered = memory();
    await tryFile(bundledModelPath, { signal, passed: remembered });
    expect(remembered.known.size).toBe(1);
    // Remembered: no child could answer within one millisecond.
    await tryFile(bundledModelPath, { signal, passed: remembered, deadlineMs: 1 });
  });

  it('refuses what makes the library crash, and does not remember it', async () => {
    const path = await withNumber('llama.block_count', 0xffff);
    const remembered = memory();
    await expect(readGguf(path)).resolves.toBeDefined();
    await expect(tryFile(path, { signal, passed: remembered })).rejects.toThrow(
      /makes the inference library crash \(GGML_ASSERT\(.*LLAMA_MAX_LAYERS\) failed\)\. The file is damaged/,
    );
    expect(remembered.known.size).toBe(0);
  });

  it('leaves what the library refuses to the load', async () => {
    await tryFile(await withNumber('llama.block_count', 7), { signal });
  });

  it('does not wait for ever', async () => {
    await expect(tryFile(bundledModelPath, { signal, deadlineMs: 1 })).rejects.toThrow('busy without end');
  });

  it('ends with its signal', async () => {
    const stop = new AbortController();
    const probing = tryFile(bundledModelPath, { signal: stop.signal });
    stop.abort(new Error('enough'));
    await expect(probing).rejects.toThrow('enough');
    await expect(tryFile(bundledModelPath, { signal: stop.signal })).rejects.toThrow('enough');
  });
});
