// Builds the chat page (src/ui) into dist/ui: bundled by Vite, compressed, with an index of what there is. Does nothing
// when nothing has changed since the last time.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { builtFrom, filesIn, hashOf, root, writeBuilt, writeIndex } from './built-files.mjs';

const source = join(root, 'src/ui');
const target = join(root, 'dist/ui');
/** What is in the bundle: its licences go along. */
const bundled = ['preact', '@preact/signals', '@preact/signals-core', 'marked', 'highlight.js', 'idb', 'katex'];

const targets = ['chrome123', 'firefox121', 'safari17.5'];

/** Every browser that this page runs in has it: the other two forms of each font would be bytes that nobody asks for. */
const onlyWoff2 = {
  name: 'only-woff2',
  enforce: 'pre',
  transform: (code, id) =>
    /\.css$/.test(id) ? code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, '') : undefined,
};

const inputs = hashOfInputs();
if (builtFrom(target) !== inputs) await build();

async function build() {
  // Else whoever builds it in the midst of tests gets a page that is larger and tells the paths of its sources.
  process.env.NODE_ENV = 'production';
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
      target: targets,
      assetsDir: 'ui/assets',
      assetsInlineLimit: 0,
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
    },
  });
  rmSync(target, { recursive: true, force: true });
  const files = {};
  const add = (name, content) => {
    files[name] = writeBuilt(target, name, Buffer.from(content));
  };
  // The page lies at /, everything else below /ui.
  for (const item of output) add(item.fileName.replace(/^ui\//, ''), item.type === 'chunk' ? item.code : item.source);
  for (const name of filesIn(join(source, 'public'))) add(name, readFileSync(join(source, 'public', name)));
  for (const [name, image] of await icons()) add(name, image);
  add('LICENSES.txt', licences());
  const content = Object.values(files).map(({ etag }) => etag);
  add(
    'service-worker.js',
    await worker(bundle, createHash('sha256').update(content.join()).digest('hex').slice(0, 16)),
  );
  writeIndex(target, inputs, files);
}

/** Lies at an address that stays; `build` is in it, so that each build of the page has another one. */
async function worker(bundle, build) {
  const { output } = await bundle({
    root: source,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    define: { build: JSON.stringify(build) },
    build: {
      write: false,
      target: targets,
      modulePreload: false,
      rollupOptions: { input: join(source, 'worker/service-worker.ts'), output: { format: 'iife' } },
    },
  });
  return output[0].code;
}

/** What systems want that show the page among their apps: pictures of these sizes, one of them filled to its corners. */
async function icons() {
  const { default: sharp } = await import('sharp');
  const round = readFileSync(join(source, 'public/icon.svg'), 'utf8');
  const filled = round.replace(/ rx="[^"]*"/, '');
  if (filled === round) throw new Error('The icon has no round corners any more: see icons() in build-ui.mjs.');
  const drawn = async (svg, size) =>
    sharp(Buffer.from(svg), { density: (72 * size) / 64 })
      .resize(size, size)
      .png({ palette: true, compressionLevel: 9, effort: 10 })
      .toBuffer();
  return [
    ['icon-192.png', await drawn(round, 192)],
    ['icon-512.png', await drawn(round, 512)],
    ['icon-filled-512.png', await drawn(filled, 512)],
  ];
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
  const tools = ['scripts/build-ui.mjs', 'scripts/built-files.mjs', 'package-lock.json'];
  const own = filesIn(source).filter((name) => !name.startsWith('pictures/') && !name.endsWith('.md'));
  return hashOf([...tools.map((name) => join(root, name)), ...own.map((name) => join(source, name))]);
}
