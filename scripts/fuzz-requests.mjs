/**
 * Hostile requests through the whole server, and long texts without a space for every pre-tokenizer of the library:
 * `npm run fuzz:requests -- [COUNT] [SEED]`, 2,000 where no count is given. The same requests for the same seed (a number,
 * or `random`).
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [count = '2000', seed] = process.argv.slice(2);
/** What the test sends by itself. */
const usual = 60;
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const vitest = [path('node_modules/vitest/vitest.mjs'), 'run', '--config', 'test/vitest.config.ts'];
const tests = ['test/e2e/fuzz-requests.test.ts', 'test/engine/pre-tokenizers.test.ts'];
const { status } = spawnSync(process.execPath, [...vitest, '--project', 'engine', ...tests], {
  cwd: path('.'),
  stdio: 'inherit',
  env: { ...process.env, FUZZ_RUNS: String(Number(count) / usual), ...(seed && { FUZZ_SEED: seed }) },
});
process.exitCode = status ?? 1;
