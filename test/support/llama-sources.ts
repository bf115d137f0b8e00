import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';

/** llama.cpp's own sources, as node-llama-cpp brings them along. */
const bundle = resolve(import.meta.dirname, '../../node_modules/node-llama-cpp/llama/gitRelease.bundle');

/**
 * A folder of llama.cpp's sources (`models/templates`), unpacked once per machine: the name in the temporary folder
 * carries the size of the bundle, so that another version is unpacked anew.
 */
export function llamaSources(folder: string): string {
  const target = join(tmpdir(), `serve-model-llama-${statSync(bundle).size}`, folder.replaceAll('/', '-'));
  if (existsSync(target)) return target;
  const work = mkdtempSync(join(tmpdir(), 'serve-model-unpack-'));
  try {
    const repository = join(work, 'repository');
    execFileSync('git', ['clone', '--quiet', '--bare', bundle, repository], { stdio: 'pipe' });
    const archive = execFileSync('git', ['--git-dir', repository, 'archive', 'HEAD', folder], { maxBuffer: 1 << 30 });
    execFileSync('tar', ['-x', '-C', work], { input: archive });
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(work, folder), target);
  } catch (error) {
    // Another process may have been quicker: a folder that is there is complete.
    if (!existsSync(target)) throw error;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return target;
}

/** The commit of these sources. */
export function llamaRevision(): string {
  return execFileSync('git', ['ls-remote', bundle, 'HEAD'], { encoding: 'utf8' }).split('\t')[0] ?? '';
}

export interface NamedTemplate {
  readonly name: string;
  readonly text: string;
}

/** The real chat templates that llama.cpp tests with, by name. */
export function realTemplates(): NamedTemplate[] {
  const folder = llamaSources('models/templates');
  return readdirSync(folder)
    .filter((file) => file.endsWith('.jinja'))
    .sort()
    .map((file) => ({ name: basename(file, '.jinja'), text: readFileSync(join(folder, file), 'utf8') }));
}
