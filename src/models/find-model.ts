import { access, readdir, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../contract/errors.ts';

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

/** The models of a folder, one per split set, projectors left out; sorted. */
export async function modelsIn(folder: string): Promise<string[]> {
  const names = await readdir(folder);
  return names
    .filter((name) => name.toLowerCase().endsWith('.gguf') && !name.toLowerCase().startsWith('mmproj'))
    .filter((name) => (splitOf(name)?.index ?? 1) === 1)
    .sort()
    .map((name) => join(folder, name));
}

/** `name-00002-of-00005.gguf` -> its place among the parts. */
export function splitOf(
  name: string,
): { readonly stem: string; readonly index: number; readonly count: number } | undefined {
  const match = /^(.*)-(\d{5})-of-(\d{5})\.gguf$/i.exec(name);
  return match ? { stem: match[1] ?? '', index: Number(match[2]), count: Number(match[3]) } : undefined;
}

/** The model's own name: the file name without .gguf and part numbers. */
export function modelName(path: string): string {
  const name = basename(path);
  return splitOf(name)?.stem ?? name.replace(/\.gguf$/i, '');
}

async function onlyModelOf(folder: string): Promise<string> {
  const candidates = await modelsIn(folder);
  const [first, ...others] = candidates;
  if (first === undefined) throw refusal(`The folder ${folder} holds no .gguf file. Give a model file.`, folder);
  if (others.length === 0) return first;
  const shown = candidates.slice(0, 5).map((path) => basename(path));
  const more = candidates.length > shown.length ? ` and ${candidates.length - shown.length} more` : '';
  throw refusal(
    `The folder ${folder} holds several models: ${shown.join(', ')}${more}. Give one of these files.`,
    folder,
  );
}

async function withParts(path: string): Promise<ModelFiles> {
  const split = splitOf(basename(path));
  if (!split) return { path, parts: [path] };
  const digits = (value: number) => String(value).padStart(5, '0');
  const parts = Array.from({ length: split.count }, (_, index) =>
    join(dirname(path), `${split.stem}-${digits(index + 1)}-of-${digits(split.count)}.gguf`),
  );
  const missing = await firstMissing(parts);
  if (missing === undefined) return { path: parts[0] ?? path, parts };
  throw refusal(`The model ${path} is split in ${split.count} parts and ${missing} is missing. Download it too.`, path);
}

async function firstMissing(parts: readonly string[]): Promise<string | undefined> {
  for (const part of parts) {
    const there = await access(part).then(
      () => true,
      () => false,
    );
    if (!there) return part;
  }
  return undefined;
}

function refusal(message: string, param: string): ServeError {
  return new ServeError('invalid_request', message, { param });
}
