// Prints `N passed, N failed` from vitest's JSON report, and what failed.
import { readFileSync } from 'node:fs';

const report = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const failed = report.testResults.flatMap((file) =>
  file.assertionResults.filter((test) => test.status === 'failed').map((test) => `${file.name}: ${test.fullName}`),
);
// A file that cannot be loaded or prepared has no failed tests, but it failed all the same.
const brokenFiles = report.testResults
  .filter((file) => file.status === 'failed' && file.assertionResults.every((test) => test.status !== 'failed'))
  .map((file) => `${file.name}: ${file.message.split('\n')[0]}`);
for (const line of [...failed, ...brokenFiles]) console.log(`failed: ${line}`);
console.log(`${report.numPassedTests} passed, ${failed.length + brokenFiles.length} failed`);
if (failed.length + brokenFiles.length > 0 || report.numPassedTests === 0) process.exitCode = 1;
