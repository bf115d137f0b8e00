// Builds the chat page (src/ui) into dist/ui: bundled by Vite, compressed, with an index of what there is. Does nothing
// when nothing has changed since the last time.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { builtFrom, filesIn, hashOf, root, writeBuilt, writeIndex } from './built-files.mjs';

const source = join(root, 'src/ui');
const target = join(root, 'dist/ui');
/** What is in the bundle: its licences go along. */
const bundled = ['preact', '@preact/signals', '@preact/signals-core', 'marked', 'highlight.js', 'idb', 'katex'];

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
    files[name] = writeBuilt(target, name, Buffer.from(content));
  };
  // The page lies at /, everything else below /ui.
  for (const item of output) add(item.fileName.replace(/^ui\//, ''), item.type === 'chunk' ? item.code : item.source);
  for (const name of filesIn(join(source, 'public'))) add(name, readFileSync(join(source, 'public', name)));
  add('LICENSES.txt', licences());
  writeIndex(target, inputs, files);
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
