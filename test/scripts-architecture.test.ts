import { existsSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { circles, codeFiles, edgesOf, importsIn } from './support/imports.ts';

const root = resolve(import.meta.dirname, '..');
const scripts = join(root, 'scripts');

/** script (a folder of scripts, or a file at its top) -> what it may use: rooms of src, `test`, other scripts. */
const allowed: Record<string, readonly string[]> = {
  agents: ['launch', 'scripts/bench', 'scripts/in-repository.ts'],
  bench: ['bench', 'scripts/in-repository.ts'],
  media: ['bench', 'media', 'models', 'native', 'scripts/bench', 'test'],
  native: ['native'],
  'bench-render.ts': ['contract', 'engine', 'native', 'output', 'prompt', 'test'],
  'house.ts': ['test'],
  'bench-ui.mjs': ['scripts/served-page.mjs', 'scripts/streamed-answers.mjs'],
  'build-docs.mjs': ['scripts/built-files.mjs'],
  'build-ui.mjs': ['scripts/built-files.mjs'],
  'make-bench-model.ts': ['scripts/bench'],
  'measure-bare-decode.mjs': ['bench', 'engine', 'native'],
  'measure-event-loop.mjs': ['config.ts', 'main.ts'],
  'measure-grammar.mjs': ['config.ts', 'main.ts', 'scripts/operator-tree.ts'],
  'measure-guesses.mjs': ['config.ts', 'main.ts'],
  'measure-kv-unified.mjs': ['config.ts', 'main.ts'],
  'parse.ts': ['contract', 'output'],
  'render.ts': ['contract', 'dialects', 'engine', 'models', 'native', 'output', 'prompt'],
  'try-agents.mjs': ['config.ts', 'launch', 'main.ts'],
  'ui-pictures.mjs': ['scripts/served-page.mjs'],
};

const rule = `
A script stands beside the house: it uses the rooms that its row names, built or as they are, and no room knows it.`;

/** What a built file was built from. */
function sourceOf(path: string): string {
  const built = relative(root, path).replace(/^\.cache\/scripts\//, '');
  const inSource = built.startsWith('dist/') ? built.replace(/^dist\//, 'src/') : built;
  return inSource.replace(/\.js$/, '.ts');
}

const used = importsIn(scripts)
  .filter(({ target }) => target.startsWith('.'))
  .map(({ file, target }) => {
    const path = sourceOf(resolve(dirname(file), target));
    const [top = '', part = ''] = path.split('/');
    return {
      file: relative(root, file),
      script: scriptOf(file),
      path,
      to: top === 'src' ? part : top === 'scripts' ? `scripts/${part}` : top,
    };
  })
  // Imports of the files that it writes.
  .filter(({ file, path }) => file !== 'scripts/native/write-tables.ts' || existsSync(join(root, path)));

function scriptOf(file: string): string {
  return relative(scripts, file).split('/')[0] ?? '';
}

describe('scripts', () => {
  it('use what their rows name, and rows name nothing else', () => {
    const wrong = used
      .filter(({ script, to }) => to !== `scripts/${script}` && !allowed[script]?.includes(to))
      .map(({ file, to }) => `${file} must not import ${to}`);
    expect(wrong, rule).toEqual([]);
    const unused = Object.entries(allowed).flatMap(([script, names]) =>
      names
        .filter((to) => !used.some((each) => each.script === script && each.to === to))
        .map((to) => `${script}: ${to}`),
    );
    expect(unused).toEqual([]);
    expect(used.length).toBeGreaterThan(80);
  });

  it('use files that there are, built ones too', () => {
    expect(
      used.filter(({ path }) => !existsSync(join(root, path))).map(({ file, path }) => `${file}: ${path}`),
    ).toEqual([]);
  });

  it('have no circle of files', () => {
    const edges = edgesOf(importsIn(scripts));
    expect(circles(edges).map((files) => files.map((file) => relative(root, file)).sort())).toEqual([]);
  });

  it('are known to no room', () => {
    const wrong = importsIn(join(root, 'src')).filter(({ file, target }) =>
      resolve(dirname(file), target).startsWith(`${scripts}/`),
    );
    expect(wrong).toEqual([]);
    expect(codeFiles(scripts).length).toBeGreaterThan(40);
  });
});
