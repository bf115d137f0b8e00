import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { builtFiles } from '../../src/http/page/page-files.ts';

describe('what scripts/build-ui.mjs and build-docs.mjs have built', () => {
  it.each(['ui', 'docs'] as const)('is looked for where they put it: %s', (name) => {
    const built = resolve(import.meta.dirname, '../../dist', name, 'files.json');
    expect(fileURLToPath(new URL('files.json', builtFiles(name)))).toBe(built);
  });
});
