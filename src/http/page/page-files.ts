import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { brotliDecompress, gzip } from 'node:zlib';
import type { PageEncoding, PageFile, PageFiles } from '../../contract/page-files.ts';

/** Where scripts/build-ui.mjs and build-docs.mjs put what they build: the same seen from src/http/page and dist/http/page. */
export function builtFiles(name: 'ui' | 'docs'): URL {
  return new URL(`../../../dist/${name}/`, import.meta.url);
}

type Facts = Pick<PageFile, 'type' | 'etag' | 'compressed'>;

/**
 * The chat page (`ui`) or the guides (`docs`) as they were built, or undefined where they were not. Each form of a file is read when it is first asked for
 * and kept: all of them together are smaller than one prompt's logits.
 */
export async function openPageFiles(name: 'ui' | 'docs'): Promise<PageFiles | undefined> {
  const folder = builtFiles(name);
  let index: { readonly files: Readonly<Record<string, Facts>> };
  try {
    index = JSON.parse(await readFile(new URL('files.json', folder), 'utf8'));
  } catch {
    return undefined;
  }
  const files = new Map(Object.entries(index.files).map(([path, facts]) => [path, pageFile(folder, path, facts)]));
  return { find: (path) => files.get(path) };
}

function pageFile(folder: URL, path: string, facts: Facts): PageFile {
  const kept = new Map<PageEncoding, Promise<Uint8Array<ArrayBuffer>>>();
  const { type, etag, compressed } = facts;
  return {
    type,
    etag,
    compressed,
    read(encoding) {
      const known = kept.get(encoding);
      if (known !== undefined) return known;
      const bytes = readForm(fileURLToPath(new URL(path, folder)), compressed, encoding);
      kept.set(encoding, bytes);
      // A file that could not be read just now may be there the next time.
      bytes.catch(() => kept.delete(encoding));
      return bytes;
    },
  };
}

async function readForm(path: string, compressed: boolean, encoding: PageEncoding): Promise<Uint8Array<ArrayBuffer>> {
  if (!compressed) return new Uint8Array(await readFile(path));
  const packed = await readFile(`${path}.br`);
  if (encoding === 'br') return new Uint8Array(packed);
  // Browsers take br of this machine and over https alone: the form that others take is made once, not carried by the package.
  const content = await promisify(brotliDecompress)(packed);
  return new Uint8Array(encoding === 'gzip' ? await promisify(gzip)(content, { level: 9 }) : content);
}
