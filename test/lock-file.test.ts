import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, it } from 'vitest';
import { z } from 'zod';

const lockFile = z.object({
  packages: z.record(z.string(), z.object({ optionalDependencies: z.record(z.string(), z.string()).optional() })),
});

// npm leaves packages of other platforms out of the file when it cannot reach them, and `npm ci` then fails everywhere.
it('the lock file has an entry for every optional package, whatever its platform', () => {
  const { packages } = lockFile.parse(
    JSON.parse(readFileSync(resolve(import.meta.dirname, '../package-lock.json'), 'utf8')),
  );
  const wanted = Object.values(packages).flatMap(({ optionalDependencies = {} }) => Object.keys(optionalDependencies));
  const paths = Object.keys(packages);
  const missing = wanted.filter((name) => !paths.some((path) => path.endsWith(`node_modules/${name}`)));
  expect(missing).toEqual([]);
  expect(wanted.length).toBeGreaterThan(10);
});
