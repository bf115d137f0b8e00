import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readRelease } from '../../scripts/native/read-release.ts';
import { withReleaseSource } from '../../scripts/native/release-source.ts';
import { installedBundle, releases, sourcesOf } from '../../scripts/native/releases.ts';
import { findLibrary } from '../../src/native/find-library.ts';
import { Libraries } from '../../src/native/libraries.ts';
import { neededFunctions } from '../../src/native/needed.ts';
import { table as older } from '../../src/native/tables/llama-0.4.0.ts';
import { table } from '../../src/native/tables/llama-0.5.0.ts';

const room = resolve(import.meta.dirname, '../../src/native');

describe('the tables of the C API', () => {
  it('are what the headers of the installed release say (npm run native:tables writes them)', () => {
    const [newest] = releases;
    const written = withReleaseSource(installedBundle(), (source) => readRelease(source, newest.commit));
    for (const [name, text] of sourcesOf(written, newest)) {
      expect(readFileSync(join(room, name), 'utf8') === text, name).toBe(true);
    }
  });

  it('name no function that the libraries do not export', () => {
    const libraries = new Libraries(findLibrary(false));
    expect(Object.keys(table.functions).filter((name) => libraries.symbol(name) === undefined)).toEqual([]);
    expect(Object.keys(table.functions).length).toBeGreaterThan(700);
  });

  it('list what the room calls, so that it is looked for when the libraries are opened', () => {
    const called = readdirSync(room)
      .filter((name) => name.endsWith('.ts') && !['functions.ts', 'needed.ts'].includes(name))
      .map((name) => readFileSync(join(room, name), 'utf8').replace(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))
      .flatMap((text) => text.match(/\b(llama|ggml|gguf)_\w+/g) ?? [])
      .filter((name) => name in table.functions);
    expect([...new Set([...called, ...Object.keys(table.defaults)])].sort()).toEqual([...neededFunctions].sort());
  });
});

describe('the table of the older release, which macOS and Windows have', () => {
  it('has the same structs and default parameters', () => {
    expect(older.structs).toEqual(table.structs);
    expect(older.defaults).toEqual(table.defaults);
    expect(older.backendFunctions).toEqual(table.backendFunctions);
  });

  it('lacks no function that the product calls, and means the same by each', () => {
    for (const name of neededFunctions) expect([name, older.functions[name]]).toEqual([name, table.functions[name]]);
  });

  it('differs in what no part of the product uses', () => {
    const apart = (one: object, other: object) =>
      Object.keys(one).filter(
        (name) => JSON.stringify(Reflect.get(one, name)) !== JSON.stringify(Reflect.get(other, name)),
      );
    expect(apart(table.functions, older.functions)).toEqual([
      'ggml_prec_set_acc',
      'ggml_prec_set_src',
      'ggml_dsv4_hc_pre_gated',
      'llama_adapter_lora_init_from_file_ptr',
    ]);
    expect(apart(older.functions, table.functions)).toEqual(['ggml_mul_mat_set_prec', 'ggml_flash_attn_ext_set_prec']);
    expect(apart(table.enums, older.enums)).toEqual(['ggml_prec', 'llama_vocab_type']);
    expect(apart(older.enums, table.enums)).toEqual(['ggml_prec', 'llama_vocab_type']);
  });
});
