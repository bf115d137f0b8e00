import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readTextFile } from '../../src/files/read-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'serve-model-text-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

describe('readTextFile', () => {
  it.each<[string, Uint8Array]>([
    ['UTF-8', Buffer.from('{"ä": "€"}')],
    ['UTF-8 with a byte order mark', Buffer.from('\ufeff{"ä": "€"}')],
    ['UTF-16 as Windows writes it', Buffer.from('\ufeff{"ä": "€"}', 'utf16le')],
    ['UTF-16 the other way round', Buffer.from('\ufeff{"ä": "€"}', 'utf16le').swap16()],
  ])('reads %s', (_, bytes) => {
    expect(readTextFile(file('text', bytes))).toBe('{"ä": "€"}');
  });

  it('reads a long file and an empty one', () => {
    expect(readTextFile(file('long', 'x'.repeat(200_000)))).toHaveLength(200_000);
    expect(readTextFile(file('empty', ''))).toBe('');
  });

  it.each<[string, () => string, string]>([
    ['nothing', () => join(folder, 'none'), 'cannot be read. Check the path and its permissions'],
    ['a folder', () => folder, 'is a folder. Give a file'],
    ['other bytes', () => file('bytes', Buffer.from([0x47, 0xe9, 0x80])), 'is no text in UTF-8. Save it as UTF-8'],
    ['a flood', () => file('flood', Buffer.alloc(17 * 2 ** 20)), 'is longer than 16 MB. Give a text file'],
  ])('refuses %s', (_, path, reason) => {
    expect(() => readTextFile(path())).toThrow(new Error(reason));
  });

  const pipes = process.platform === 'win32' ? describe.skip : describe;
  pipes('of a pipe (there are none on Windows)', () => {
    it('gives what its writer writes, who begins when somebody reads', () => {
      const path = join(folder, 'pipe');
      execFileSync('mkfifo', [path]);
      const writer = spawn('sh', ['-c', `printf 'one\\ntwo' > '${path}'`], { stdio: 'ignore' });
      expect(readTextFile(path)).toBe('one\ntwo');
      writer.kill();
    });

    it('does not wait for ever', () => {
      const path = join(folder, 'silent');
      execFileSync('mkfifo', [path]);
      expect(() => readTextFile(path, 100)).toThrow(new Error('did not end within 0.1 seconds. Give a plain file'));
    });
  });
});
