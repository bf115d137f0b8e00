import { existsSync } from 'node:fs';
import { mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../src/files/make-folder.ts';

let root = '';
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'serve-model-folder-'));
});
afterAll(() => rm(root, { recursive: true }));

describe('makeFolder', () => {
  it('makes what is missing, with its mode, and takes what is there', async () => {
    const folder = join(root, 'a/b/c');
    await makeFolder(folder, 0o700);
    await makeFolder(folder);
    await Promise.all([makeFolder(join(folder, 'd/e')), makeFolder(join(folder, 'd/f'))]);
    const modes = await Promise.all([join(root, 'a'), folder].map(async (path) => (await stat(path)).mode & 0o777));
    if (process.platform !== 'win32') expect(modes).toEqual([0o700, 0o700]);
    expect(existsSync(join(folder, 'd/e')) && existsSync(join(folder, 'd/f'))).toBe(true);
  });

  it('refuses a place below a file, and one where it may not write', async () => {
    await writeFile(join(root, 'file'), '');
    await expect(makeFolder(join(root, 'file'))).rejects.toThrow('is no folder');
    await expect(makeFolder(join(root, 'file/x'))).rejects.toThrow(/ENOTDIR|is no folder/);
    await symlink(join(root, 'nowhere'), join(root, 'dangling'));
    await expect(makeFolder(join(root, 'dangling/x'))).rejects.toThrow('ENOENT');
  });

  it.runIf(existsSync('/proc/self'))('ends where the system makes no folders (only where there is /proc)', async () => {
    for (const folder of ['/proc/x', '/proc/x/y/z']) await expect(makeFolder(folder)).rejects.toThrow('ENOENT');
  });
});
