// Builds the guides into dist/docs: every README that the package holds, as a page without scripts, and the README at the
// top as their index. A link that leads nowhere ends the build. Does nothing when nothing has changed since the last time.
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, normalize, posix } from 'node:path';
import { Marked } from 'marked';
import { builtFrom, filesIn, hashOf, root, writeBuilt, writeIndex } from './built-files.mjs';

const target = join(root, 'dist/docs');
const style = join(root, 'scripts/docs.css');
/** The page's own: without one browsers ask for /favicon.ico. */
const icon = 'src/ui/public/icon.svg';
/** What pages name and no page shows: it stands there as text. */
const noPages = ['LICENSE'];

const documents = [
  'README.md',
  'models/README.md',
  'scripts/deploy/README.md',
  ...filesIn(join(root, 'src'))
    .filter((name) => /(^|\/)README\.md$/.test(name))
    .map((name) => `src/${name}`),
].filter((path) => existsSync(join(root, path)));
const addresses = new Map(documents.map((path) => [path, addressOf(path)]));
const texts = new Map(documents.map((path) => [path, readFileSync(join(root, path), 'utf8')]));
const anchors = new Map([...texts].map(([path, text]) => [path, new Set(headingsOf(text))]));
const pictures = new Map();

const tools = ['scripts/build-docs.mjs', 'scripts/built-files.mjs', 'scripts/docs.css', icon, 'package-lock.json'];
const shown = filesIn(join(root, 'src/ui/pictures')).map((name) => `src/ui/pictures/${name}`);
const inputs = hashOf([...tools, ...documents, ...shown].map((path) => join(root, path)));
if (builtFrom(target) !== inputs) build();

function build() {
  rmSync(target, { recursive: true, force: true });
  const files = {};
  const add = (name, content) => {
    files[name] = writeBuilt(target, name, Buffer.from(content));
  };
  for (const path of documents)
    add(path === 'README.md' ? 'index.html' : `${below(addresses.get(path))}.html`, page(path));
  for (const [path, address] of pictures) add(below(address), readFileSync(join(root, path)));
  add('style.css', readFileSync(style));
  add('icon.svg', readFileSync(join(root, icon)));
  writeIndex(target, inputs, files);
}

/** Where a document is served, without the slash at the beginning: `src/dialects/tgi/README.md` -> `docs/api/tgi`. */
function addressOf(path) {
  if (path === 'README.md') return 'docs';
  if (path === 'src/README.md') return 'docs/house';
  if (path === 'models/README.md') return 'docs/demo-model';
  return `docs/${dirname(path)
    .replace(/^(src|scripts)\//, '')
    .replace(/^dialects\//, 'api/')}`;
}

/** One document: its guide, and behind it, folded, what developers have to know of the room. */
function page(path) {
  const text = texts.get(path).replace(/<!--[\s\S]*?-->\n?/g, '');
  const [, title = path] = /^# (.+)$/m.exec(text) ?? [];
  const taken = new Set();
  const guide = /^## Guide: (.+)\n([\s\S]*?)(?=^## |(?![\s\S]))/m.exec(text);
  if (guide === null) return shell(path, title, render(path, text, 0, taken));
  const [section, name, body] = guide;
  const rest = text
    .replace(section, '')
    .replace(/^# .+\n/, '')
    .trim();
  const head = `<h1 id="${slug(`Guide: ${name}`)}">${escaped(name)}</h1>\n${render(path, body, 1, taken)}`;
  if (rest === '') return shell(path, name, head);
  const room = `<summary>For developers: ${escaped(title)}</summary>\n${render(path, rest, 0, taken)}`;
  return shell(path, name, `${head}<details>${room}</details>\n`);
}

function shell(path, title, content) {
  const from = addresses.get(path);
  // What the server makes itself, of its own table.
  const routes = `<a href="${between(from, 'docs/routes')}">all routes</a>`;
  const way = `<nav><a href="${between(from, 'docs')}">serve-model: all guides</a> &middot; ${routes}</nav>`;
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escaped(title)}</title>
<link rel="icon" href="${between(from, 'docs/icon.svg')}" type="image/svg+xml">
<link rel="stylesheet" href="${between(from, 'docs/style.css')}">
${way}
<main>
${content}</main>
</html>
`;
}

/** `lift`: by how many levels headings rise. `taken`: ids that the page has already. */
function render(path, text, lift, taken) {
  const marked = new Marked({
    renderer: {
      heading({ tokens, depth, text: written }) {
        let id = slug(written);
        for (let number = 1; taken.has(id); number++) id = `${slug(written)}-${number}`;
        taken.add(id);
        return `<h${depth - lift} id="${id}">${this.parser.parseInline(tokens)}</h${depth - lift}>\n`;
      },
      link({ href, tokens }) {
        const address = /^[a-z]+:/.test(href) ? href : addressFrom(path, href);
        const inner = this.parser.parseInline(tokens);
        return address === undefined ? inner : `<a href="${escaped(address)}">${inner}</a>`;
      },
      image({ href, text: alternative }) {
        return `<img src="${escaped(pictureFrom(path, href))}" alt="${escaped(alternative)}">`;
      },
      html({ text: markup }) {
        throw new Error(`${path}: markup in a document is not shown: ${markup}`);
      },
    },
  });
  return marked.parse(text);
}

function addressFrom(path, href) {
  const [file, anchor] = href.split('#');
  const wanted = file === '' ? path : resolved(path, file);
  if (noPages.includes(wanted)) return undefined;
  const to = addresses.get(wanted);
  if (to === undefined) throw new Error(`${path}: ${href} is no page.`);
  if (anchor !== undefined && !anchors.get(wanted).has(anchor))
    throw new Error(`${path}: there is no heading ${href}.`);
  return `${file === '' ? '' : between(addresses.get(path), to)}${anchor === undefined ? '' : `#${anchor}`}`;
}

function pictureFrom(path, href) {
  const wanted = resolved(path, href);
  const name = `docs/pictures/${posix.basename(wanted)}`;
  pictures.set(wanted, name);
  return between(addresses.get(path), name);
}

function resolved(path, href) {
  return normalize(join(dirname(path), href)).replaceAll('\\', '/');
}

/** From one address to another, as a browser follows it, wherever the server is mounted. */
function between(from, to) {
  return posix.join(posix.relative(posix.dirname(from), posix.dirname(to)), posix.basename(to));
}

function below(address) {
  return address.slice('docs/'.length);
}

function headingsOf(text) {
  const seen = new Set();
  for (const [, heading] of text.replace(/^```[\s\S]*?^```$/gm, '').matchAll(/^#{1,6} (.+)$/gm)) {
    let id = slug(heading);
    for (let number = 1; seen.has(id); number++) id = `${slug(heading)}-${number}`;
    seen.add(id);
  }
  return seen;
}

/** The anchor that readers of Markdown make of a heading. */
function slug(heading) {
  return heading
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replace(/\s/g, '-');
}

function escaped(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
