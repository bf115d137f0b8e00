import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { readDocument, root } from '../support/documents.ts';

it('the sign of a room names files that there are', () => {
  const files = ['src', 'test'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' }).map((file) => `/${file}`),
  );
  const rooms = readdirSync(join(root, 'src')).filter((room) => existsSync(join(root, 'src', room, 'README.md')));
  const named = rooms.flatMap((room) =>
    [...readDocument(`src/${room}/README.md`).matchAll(/`([\w./-]+\.tsx?)`/g)].map(([, name = '']) => ({ room, name })),
  );
  expect(named.length).toBeGreaterThan(200);
  const wrong = named.filter(
    ({ name }) => !existsSync(join(root, name)) && !files.some((file) => file.endsWith(`/${name}`)),
  );
  expect(wrong).toEqual([]);
});
