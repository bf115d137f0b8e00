import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, resolve } from 'node:path';
import { circles, codeFiles, edgesOf, importsIn } from '../test/support/imports.ts';

/**
 * `npm run house -- [REF]...`: how large the source is and how it hangs together, as it lies here and as it was at commits.
 * Pages for browsers (`src/ui`) count by themselves: their house is another one.
 */
const root = resolve(import.meta.dirname.replace(/\.cache\/.*$/, ''));

interface House {
  readonly files: number;
  readonly lines: number;
  readonly medianLines: number;
  readonly largest: string;
  /** Files of 20 lines or fewer that one file of their own folder imports. */
  readonly crumbs: number;
  readonly circles: number;
  /** Functions, classes and values of the source that nothing imports, tests and scripts neither. */
  readonly unusedExports: number;
  /** Those that tests and scripts alone import. */
  readonly testedExports: number;
  readonly readmeBytes: number;
  readonly mainFiles: number;
  readonly mainLines: number;
}

function measure(folder: string): House {
  const source = join(folder, 'src');
  const files = codeFiles(source).filter((file) => !relative(source, file).startsWith('ui/'));
  const lines = new Map(files.map((file) => [file, readFileSync(file, 'utf8').split('\n').length - 1]));
  const sizes = [...lines.values()].sort((one, other) => one - other);
  const edges = edgesOf(importsIn(source));
  const [largest = '', most = 0] = [...lines].reduce(
    (one, other) => (other[1] > one[1] && !isGenerated(other[0]) ? other : one),
    ['', 0],
  );
  const unused = unusedExports(folder, ['src', 'test', 'scripts']);
  const main = files.filter((file) => /^main(\/|\.ts$)/.test(relative(source, file)));
  return {
    files: files.length,
    lines: sizes.reduce((sum, each) => sum + each, 0),
    medianLines: sizes[Math.floor(sizes.length / 2)] ?? 0,
    largest: `${relative(source, largest)} ${most}`,
    crumbs: files.filter((file) => (lines.get(file) ?? 0) <= 20 && isCrumb(file, edges)).length,
    circles: circles(edges).filter((group) => group.some((file) => lines.has(file))).length,
    unusedExports: unused.length,
    testedExports: unusedExports(folder, ['src']).length - unused.length,
    readmeBytes: statSync(join(folder, 'README.md')).size,
    mainFiles: main.length,
    mainLines: main.reduce((sum, file) => sum + (lines.get(file) ?? 0), 0),
  };
}

/** Tables of llama.cpp's C API. */
function isGenerated(file: string): boolean {
  return /native\/(functions\.ts|tables\/)/.test(file);
}

function isCrumb(file: string, edges: ReadonlyMap<string, readonly string[]>): boolean {
  const importers = [...edges].filter(([, targets]) => targets.includes(file)).map(([importer]) => importer);
  return importers.length === 1 && dirname(importers[0] ?? '') === dirname(file);
}

/**
 * What the source exports and no other file of these folders imports. Types do not count: those of options and results name
 * what others hand over without a word.
 */
function unusedExports(folder: string, importers: readonly string[]): string[] {
  const source = join(folder, 'src');
  const texts = new Map(
    importers.flatMap((each) => codeFiles(join(folder, each))).map((file) => [file, readFileSync(file, 'utf8')]),
  );
  const taken = new Set<string>();
  for (const [file, text] of texts)
    for (const { names, from } of takenBy(text)) {
      const target = resolve(dirname(file), from);
      for (const name of names ?? exportedBy(texts.get(target) ?? '')) taken.add(`${target} ${name}`);
    }
  return codeFiles(source)
    .filter(
      (file) => !isGenerated(file) && !/(^index|-child|-worker|serve-model|prepare)\.ts$/.test(relative(source, file)),
    )
    .flatMap((file) => exportedBy(texts.get(file) ?? '').map((name) => `${file} ${name}`))
    .filter((each) => !taken.has(each));
}

interface Taken {
  /** undefined: all, or what only running tells. */
  readonly names: readonly string[] | undefined;
  readonly from: string;
}

function takenBy(text: string): Taken[] {
  const written = /\b(?:import|export)\s+(?:type\s+)?(\{[^}]*\}|\*(?: as \w+)?)\s+from\s+'(\.[^']+)'/g;
  const imported = [...text.matchAll(written)].map(([, names = '', from = '']) => ({
    names: names.startsWith('*') ? undefined : (names.match(/\w+/g) ?? []),
    from,
  }));
  const running = [...text.matchAll(/\bimport\(\s*'(\.[^']+)'/g)].map(([, from = '']) => ({ names: undefined, from }));
  return [...imported, ...running];
}

function exportedBy(text: string): string[] {
  const declared = /^export (?:async )?(?:abstract )?(?:function\*?|const|let|class) (\w+)/gm;
  return [...text.matchAll(declared)].map(([, word = '']) => word);
}

/** The tree of a commit, in a folder that goes after. */
function measureCommit(ref: string): House {
  const folder = mkdtempSync(join(tmpdir(), 'serve-model-house-'));
  try {
    const archive = execFileSync('git', ['-C', root, 'archive', ref, 'src', 'test', 'scripts', 'README.md'], {
      maxBuffer: 1 << 30,
    });
    execFileSync('tar', ['-x', '-C', folder], { input: archive });
    return measure(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

const refs = process.argv.slice(2);
console.table(Object.fromEntries([...refs.map((ref) => [ref, measureCommit(ref)]), ['here', measure(root)]]));
