import { readdir, stat } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { type FileKind, kindWords, readKind } from './file-kind.ts';

/** A model on this machine: one file, or all parts of a split one in order. */
export interface ModelFiles {
  /** The file to load: the first part. */
  readonly path: string;
  readonly parts: readonly string[];
}

/** Lies beside src and dist alike, so the installed package finds it too. */
export const bundledModelPath = fileURLToPath(new URL('../../models/serve-model-demo.gguf', import.meta.url));

/**
 * Path of a .gguf file (any part of a split one), a folder that holds one model, or undefined for the bundled demo
 * model. Throws ServeError invalid_request with the next step.
 */
export async function findModel(target: string | undefined): Promise<ModelFiles> {
  const path = target ?? bundledModelPath;
  const found = await stat(path).catch(() => undefined);
  if (!found) throw refusal(`There is no model ${path}. Give a .gguf file or a folder that holds one.`, path);
  return withParts(found.isDirectory() ? await onlyModelOf(path) : path);
}

/** The .gguf files of a folder, of a split one its first part or the first that is there; sorted. */
export async function modelsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.gguf$/i.test(name)).sort();
  const firsts = new Map<string, string>();
  for (const name of names) {
    const split = splitOf(name);
    const key = split ? `${split.stem}-of-${split.count}` : `/${name}`;
    const first = splitOf(firsts.get(key) ?? '')?.index ?? Number.POSITIVE_INFINITY;
    if ((split?.index ?? 0) < first && (await isFile(join(folder, name)))) firsts.set(key, name);
  }
  return [...firsts.values()].map((name) => join(folder, name));
}

/** `name-00002-of-00005.gguf` -> its place among the parts. */
export function splitOf(
  name: string,
): { readonly stem: string; readonly index: number; readonly count: number } | undefined {
  const [, stem, place, all] = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(name) ?? [];
  const [index, count] = [Number(place), Number(all)];
  return stem !== undefined && index >= 1 && index <= count ? { stem, index, count } : undefined;
}

/** The model's own name: the file name without .gguf and part numbers, and control characters spelled out. */
export function modelName(path: string): string {
  const name = basename(path);
  return printable(splitOf(name)?.stem ?? name.replace(/\.gguf$/i, ''));
}

/** The same with what each of them is. */
export async function kindsIn(folder: string): Promise<readonly KnownKind[]> {
  return Promise.all((await modelsIn(folder)).map(async (path) => ({ path, kind: await readKind(path) })));
}

export interface KnownKind {
  readonly path: string;
  readonly kind: FileKind;
}

async function onlyModelOf(folder: string): Promise<string> {
  const files = await kindsIn(folder);
  const candidates = files.flatMap(({ path, kind }) => (kind === 'model' ? [path] : []));
  const [first, ...others] = candidates;
  if (first !== undefined && others.length === 0) return first;
  if (first === undefined) throw noModel(folder, files);
  const shown = candidates.slice(0, mostShown).map((path) => basename(path));
  const more = candidates.length > shown.length ? ` and ${candidates.length - shown.length} more` : '';
  throw refusal(
    `The folder ${folder} holds several models: ${shown.join(', ')}${more}. Give one of these files.`,
    folder,
  );
}

const mostShown = 5;

function noModel(folder: string, [other]: readonly KnownKind[]): ServeError {
  if (!other || other.kind === 'model') {
    return refusal(`The folder ${folder} holds no .gguf file. Give a model file.`, folder);
  }
  const { is, next } = kindWords[other.kind];
  return refusal(`The folder ${folder} holds no model: ${basename(other.path)} is ${is}. ${next}`, folder);
}

async function withParts(path: string): Promise<ModelFiles> {
  const split = splitOf(basename(path));
  if (!split) return { path, parts: [path] };
  const { stem, count } = split;
  const folder = dirname(path);
  const there = await readdir(folder).catch((): string[] => []);
  const ending = extname(path);
  const digits = (value: number) => String(value).padStart(5, '0');
  const parts: string[] = [];
  for (let index = 1; index <= count; index++) {
    const name = `${stem}-${digits(index)}-of-${digits(count)}${ending}`;
    const found = there.includes(name) ? name : there.find((other) => other.toLowerCase() === name.toLowerCase());
    if (found === undefined) {
      const missing = join(folder, name);
      throw refusal(`The model ${path} is split in ${count} parts and ${missing} is missing. Download it too.`, path);
    }
    parts.push(join(folder, found));
  }
  return { path: parts[0] ?? path, parts };
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}

function refusal(message: string, param: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
