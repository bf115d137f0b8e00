import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDocument, root } from '../support/documents.ts';

it('the way of a request names functions that there are, in the files where they are', () => {
  const [, walk = ''] = readDocument('src/README.md').split('## The way of a streamed request');
  const rows = [...walk.matchAll(/^\| `([\w/.-]+\.ts)` \| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThan(20);
  const missing = rows.flatMap(([, file = '', text = '']) => {
    const code = readFileSync(join(root, 'src', file), 'utf8');
    const names = [...text.matchAll(/`(#?\w+)`/g)].map((match) => match[1] ?? '');
    return names
      .filter((name) => !new RegExp(`(^|[^\\w#])${name}\\s*(\\(|<|= )`, 'm').test(code))
      .map((name) => `${file}: ${name}`);
  });
  expect(missing).toEqual([]);
});
