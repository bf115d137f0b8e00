// Builds the chat page (src/ui) into dist/ui: bundled by Vite, compressed, with an index of what there is. Does nothing
// when nothing has changed since the last time.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const root = resolve(import.meta.dirname, '..');
const source = join(root, 'src/ui');
const target = join(root, 'dist/ui');
/** What is in the bundle: its licences go along. */
const bundled = ['preact', '@preact/signals', '@preact/signals-core', 'marked', 'highlight.js', 'idb', 'katex'];
/** Below this many bytes compressing saves less than its second file costs. */
const leastCompressed = 1024;

const types = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  svg: 'image/svg+xml',
  png: 'image/png',
  woff2: 'font/woff2',
  webmanifest: 'application/manifest+json',
  txt: 'text/plain; charset=utf-8',
};
const compressedAlready = ['png', 'woff2'];

/** Every browser that this page runs in has it: the other two forms of each font would be bytes that nobody asks for. */
const onlyWoff2 = {
  name: 'only-woff2',
  enforce: 'pre',
  transform: (code, id) =>
    /\.css$/.test(id) ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '') : undefined,
};

const inputs = hashOfInputs();
if (builtFrom() !== inputs) await build();

async function build() {
  const { build: bundle } = await import('vite');
  const { output } = await bundle({
    root: source,
    configFile: false,
    publicDir: false,
    base: './',
    logLevel: 'warn',
    plugins: [onlyWoff2],
    build: {
      write: false,
      target: ['chrome123', 'firefox121', 'safari17.5'],
      assetsDir: 'ui/assets',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  rmSync(target, { recursive: true, force: true });
  const files = {};
  const add = (name, content) => {
    files[name] = writeFile(name, Buffer.from(content));
  };
  // The page lies at /, everything else below /ui.
  for (const item of output) add(item.fileName.replace(/^ui\//, ''), item.type === 'chunk' ? item.code : item.source);
  for (const name of filesIn(join(source, 'public'))) add(name, readFileSync(join(source, 'public', name)));
  add('LICENSES.txt', licences());
  writeFileSync(join(target, 'files.json'), `${JSON.stringify({ inputs, files }, null, 1)}\n`);
}

/** Writes one file in its forms; gives what the server has to know of it. */
function writeFile(name, content) {
  const extension = name.split('.').at(-1);
  const path = join(target, name);
  mkdirSync(dirname(path), { recursive: true });
  const facts = {
    type: types[extension] ?? 'application/octet-stream',
    etag: createHash('sha256').update(content).digest('base64url').slice(0, 22),
    size: content.length,
    compressed: content.length >= leastCompressed && !compressedAlready.includes(extension),
  };
  if (facts.compressed) {
    writeFileSync(`${path}.br`, brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
    writeFileSync(`${path}.gz`, gzipSync(content, { level: 9 }));
  } else writeFileSync(path, content);
  return facts;
}

function licences() {
  return bundled
    .map((name) => {
      const folder = join(root, 'node_modules', name);
      const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
      const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
      const text = file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim();
      return `${name} ${version} (${license})\n\n${text}\n`;
    })
    .join(`\n${'-'.repeat(78)}\n\n`);
}

function hashOfInputs() {
  const hash = createHash('sha256');
  const files = [import.meta.filename ?? join(root, 'scripts/build-ui.mjs'), join(root, 'package-lock.json')];
  const own = filesIn(source).filter((name) => !name.startsWith('pictures/') && !name.endsWith('.md'));
  for (const file of [...files, ...own.map((name) => join(source, name))])
    hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0');
  return hash.digest('hex');
}

function builtFrom() {
  const index = join(target, 'files.json');
  return existsSync(index) ? JSON.parse(readFileSync(index, 'utf8')).inputs : undefined;
}

function filesIn(folder) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}
