// What the builds of the chat page and of the guides share: compressed files, and an index for the server
// (src/http/page/page-files.ts), which makes the other forms of them.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { brotliCompressSync, constants } from 'node:zlib';

export const root = resolve(import.meta.dirname, '..');
/** Below this many bytes compressing is not worth its work. */
const leastCompressed = 1024;
const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  webp: 'image/webp',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
};
const compressedAlready = ['png', 'webp', 'woff2'];

/** Writes one file in its forms; gives what the server has to know of it. */
export function writeBuilt(folder, name, content) {
  const extension = name.split('.').at(-1);
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  const facts = {
    type: types[extension] ?? 'application/octet-stream',
    etag: createHash('sha256').update(content).digest('base64url').slice(0, 22),
    size: content.length,
    compressed: content.length >= leastCompressed && !compressedAlready.includes(extension),
  };
  if (facts.compressed) {
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  } else writeFileSync(path, content);
  return facts;
}

/** `inputs` tells the next build whether anything has changed. */
export function writeIndex(folder, inputs, files) {
  writeFileSync(join(folder, 'files.json'), `${JSON.stringify({ inputs, files }, null, 1)}\n`);
}

/** `inputs` of the build that lies there; undefined where there is none. */
export function builtFrom(folder) {
  const index = join(folder, 'files.json');
  return existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')).inputs : undefined;
}

/** Of the files and of where they lie. */
export function hashOf(files) {
  const hash = createHash('sha256');
  for (const file of files) hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

/** Paths of all files below a folder, from there. */
export function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}
