import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { entry, readEntries, writeGguf } from '../../scripts/bench/gguf.ts';
import { demoModelPath } from '../support/demo-engine.ts';
import { llamaSources } from '../support/llama-sources.ts';
import { runs } from '../support/runs.ts';

const module = (name: string) => pathToFileURL(resolve(import.meta.dirname, '../../dist', name)).href;

/** Every name that llama.cpp's loader knows, from its source: what a file may have in `tokenizer.ggml.pre`. */
const source = readFileSync(join(llamaSources('src'), 'llama-vocab.cpp'), 'utf8');
const names = [...new Set([...source.matchAll(/tokenizer_pre == "([^"]+)"/g)].map(([, name = '']) => name))].sort();

/** One call of the library; `npm run fuzz:requests` makes them 200,000, which are many calls. */
const length = Math.min(200_000, runs(4000));
const letters = ['a', '7', '漢', '!', "'s"];
/** These look characters up as they are, not byte by byte: in a vocabulary of bytes, which this one is, not all are found. */
const wholeCharacters = ['gemma4', 'granite-embed-multi-311m', 'sarvam-moe', 'whitespace'];

describe('text without a space, with every pre-tokenizer of the library', () => {
  const folder = mkdtempSync(join(tmpdir(), 'serve-model-pre-tokenizers-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('is tokenized, all of it', { timeout: 240_000 }, () => {
    expect(names.length).toBeGreaterThan(50);
    const known = readEntries(readFileSync(demoModelPath));
    for (const name of names) {
      const entries = new Map(known).set('tokenizer.ggml.pre', entry('tokenizer.ggml.pre', 'string', name));
      writeGguf(join(folder, `${name}.gguf`), [...entries.values()], []);
    }
    const { status, signal, stdout, stderr } = spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { findLibrary } = await import('${module('native/find-library.js')}');
         const { openLibrary } = await import('${module('native/open-library.js')}');
         const { Model } = await import('${module('native/model.js')}');
         const { createTokenText } = await import('${module('engine/token-text.js')}');
         const library = openLibrary(findLibrary(false));
         const yieldToEventLoop = () => new Promise((done) => setImmediate(done));
         for (const name of ${JSON.stringify(names)}) {
           const model = Model.load(library, ${JSON.stringify(folder)} + '/' + name + '.gguf', { gpuLayers: 0, vocabularyOnly: true });
           const { tokenize, bytes } = createTokenText({ vocabulary: model.vocabulary, yieldToEventLoop });
           for (const letter of ${JSON.stringify(letters)}) {
             const text = letter.repeat(${length} / letter.length);
             const tokens = await tokenize([text], { special: true });
             const back = Buffer.concat(tokens.map(bytes)).toString();
             const isUnknown = letter === '漢' && ${JSON.stringify(wholeCharacters)}.includes(name);
             if (back !== (isUnknown ? '' : text)) console.log(name, JSON.stringify(letter), back.length, text.length);
           }
           model.free();
         }
         console.log('all');`,
      ],
      { encoding: 'utf8', env: { ...process.env, GGML_NO_BACKTRACE: '1' } },
    );
    expect({ status, signal, stdout, stderr: stderr.slice(-500) }).toEqual({
      status: 0,
      signal: null,
      stdout: 'all\n',
      stderr: '',
    });
  });
});
