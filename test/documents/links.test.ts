import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { anchorsOf, documents, linksOf, readDocument, root } from '../support/documents.ts';

const all = documents();
const links = all.flatMap((document) =>
  linksOf(readDocument(document)).flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [path = '', anchor] = target.split('#');
    const file = path === '' ? document : normalize(join(dirname(document), path)).replaceAll('\\', '/');
    return [{ from: `${document}: ${target}`, document, file, anchor }];
  }),
);

/** What the package holds of the documents, by `files` in package.json; test/e2e/packaging.test.ts looks at the package. */
const shipped =
  /^(README\.md|CHANGELOG\.md|LICENSE|src\/(.*\/)?README\.md|src\/ui\/pictures\/.*\.webp|models\/README\.md|scripts\/deploy\/.*)$/;

describe('the documents', () => {
  it('link to files that there are', () => {
    expect(links.length).toBeGreaterThan(80);
    expect(links.filter(({ file }) => !existsSync(join(root, file))).map(({ from }) => from)).toEqual([]);
  });

  it('link to headings that there are', () => {
    const anchored = links.filter(({ anchor }) => anchor !== undefined);
    expect(anchored.length).toBeGreaterThan(5);
    expect(
      anchored.filter(({ file, anchor }) => !anchorsOf(readDocument(file)).has(anchor ?? '')).map(({ from }) => from),
    ).toEqual([]);
  });

  it('hold no marks of a merge', () => {
    expect(all.filter((document) => /^(<{7}|={7}|>{7})( |$)/m.test(readDocument(document)))).toEqual([]);
  });

  it('that are in the package link to nothing that is not', () => {
    const lost = links.filter(({ document, file }) => shipped.test(document) && !shipped.test(file));
    expect(lost.map(({ from }) => from)).toEqual([]);
  });

  it('have a first page of at most 12 kB', () => {
    expect(Buffer.byteLength(readDocument('README.md'))).toBeLessThanOrEqual(12_000);
  });

  it('can all be reached from the first page', () => {
    const seen = new Set(['README.md']);
    for (const document of seen)
      for (const link of links) if (link.document === document && all.includes(link.file)) seen.add(link.file);
    const inTheHouse = all.filter((document) => document.startsWith('src/'));
    expect(inTheHouse.filter((document) => !seen.has(document))).toEqual([]);
  });
});
