import { resolve } from 'node:path';
import { defineConfig } from 'vitest/config';

/** What is waited for comes when it comes: on a machine with other work even a page's soft scrolling takes over a second. */
const patient = { timeout: 20_000, interval: 20 };

/** `unit` needs no model and is a matter of seconds; `engine` runs the bundled demo model. */
export default defineConfig({
  root: resolve(import.meta.dirname, '..'),
  test: {
    // Most files wait more than they compute: two at a time, also on two cores.
    maxWorkers: 2,
    // Transformed modules are kept beside the installed packages: every run but the first is 3 seconds shorter.
    experimental: { fsModuleCache: true },
    // The files of a worker share a process and its modules (`isolate: false`): loading the house and the clients' SDKs
    // anew for each file took half of the time of the model-free tests and a quarter of the others'. A project takes
    // nothing over from above: it has to stand in each.
    projects: [
      {
        test: {
          name: 'unit',
          isolate: false,
          // Most code runs too briefly here to be worth optimizing: by default the optimizing compiler took 30 % of the
          // processor time of these tests, and starting it seven times as late saves a tenth of it.
          execArgv: ['--interrupt-budget=500000'],
          include: ['test/**/*.test.ts'],
          exclude: ['test/engine/**', 'test/e2e/**', 'test/ui/browser/**'],
          setupFiles: ['test/fuzz-seed.ts'],
          // Thousands of random runs in one test: seconds on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        resolve: {
          alias: [
            { find: /^.*\/entries\.ts$/, replacement: resolve(import.meta.dirname, 'support/compiled-entries.ts') },
          ],
        },
        test: {
          name: 'engine',
          isolate: false,
          // Where the machine is busy with something else one wait can be too long; a fault fails again.
          retry: 1,
          globalSetup: ['test/support/build-package.ts'],
          setupFiles: ['test/fuzz-seed.ts'],
          include: ['test/engine/**/*.test.ts', 'test/e2e/**/*.test.ts'],
          // Servers that tests start keep nothing in the folders of whoever runs them.
          env: { SERVE_MODEL_CHAT_STORE: 'off' },
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: patient },
        },
      },
      {
        test: {
          // The chat page in a real browser, the system's Chromium; skipped with a line that says so where there is none.
          name: 'ui',
          isolate: false,
          retry: 1,
          globalSetup: ['test/support/build-package.ts'],
          include: ['test/ui/browser/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          expect: { poll: patient },
        },
      },
    ],
  },
});
