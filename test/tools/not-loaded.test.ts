import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const source = resolve(import.meta.dirname, '../../src');
/** Imports that load what they name when their file is loaded. */
const loading = /^(?:import|export) (?!type )[^;]*? from '([^']*\/tools\/[^']*|@modelcontextprotocol\/[^']*)'/gm;

const files = readdirSync(source, { recursive: true, encoding: 'utf8' })
  .map((file) => file.replaceAll('\\', '/'))
  // The page is another program, and the thread that reads pages is started by a call of a tool.
  .filter((file) => /\.ts$/.test(file) && !file.startsWith('ui/') && file !== 'main/page-worker.ts');
const loads = (file: string) => [...readFileSync(join(source, file), 'utf8').matchAll(loading)].map(([, name]) => name);

describe('the room of tools', () => {
  it('is loaded with a flag that asks for some, and else no file of it', () => {
    const outside = files.filter((file) => !file.startsWith('tools/'));
    expect(outside.length).toBeGreaterThan(500);
    expect(outside.flatMap((file) => loads(file).map((name) => `${file}: ${name}`))).toEqual([]);
  });

  it('loads the SDK when the first server is used', () => {
    const inside = files.filter((file) => file.startsWith('tools/'));
    const names = inside.flatMap(loads);
    expect(names.filter((name) => name?.startsWith('@modelcontextprotocol/'))).toEqual([]);
    expect(
      inside.some((file) => readFileSync(join(source, file), 'utf8').includes("import('@modelcontextprotocol/")),
    ).toBe(true);
  });
});
