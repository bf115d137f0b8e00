import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** `unit` needs no model and stays under 15 s; `engine` runs the bundled demo model, one file at a time. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/**/*.test.ts'],
          exclude: ['test/engine/**', 'test/e2e/**'],
          setupFiles: ['test/fuzz-seed.ts'],
        },
      },
      {
        test: {
          name: 'engine',
          setupFiles: ['test/fuzz-seed.ts'],
          include: ['test/engine/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
