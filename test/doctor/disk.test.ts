import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { diskAt } from '../../src/doctor/machine-probes.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-model-disk-'));
  writeFileSync(join(folder, 'file'), '');
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('a disk', () => {
  it('is that of the nearest folder that is there', async () => {
    const { freeBytes, ...answer } = await diskAt(join(folder, 'not', 'there'), 'id');
    expect(answer).toEqual({ folder, problem: undefined });
    expect(freeBytes).toBeGreaterThan(0);
  });

  it.each([['file'], ['file/models']])('has no room for a folder at %s, where a file stands in the way', async (at) => {
    const { problem } = await diskAt(join(folder, at), 'id');
    expect(problem).toBe(`${join(folder, 'file')} is no folder`);
  });
});
