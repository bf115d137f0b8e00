import { type BareRatesJob, runBareRates } from '../engine/loop/bare-rates-job.ts';

/** What `serve-model bench` starts to learn what the library does alone: its argument is a BareRatesJob. */
const job: BareRatesJob = JSON.parse(process.argv[2] ?? '');
runBareRates(job, () => performance.now());
process.exit(0);
