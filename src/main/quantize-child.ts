import { writeSync } from 'node:fs';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { endWithParent, type QuantizeJob, runQuantizeJob } from '../models/quantize-job.ts';

/** What `serve-model quantize` starts: its argument is a QuantizeJob. */
if (isMainThread) {
  const job: QuantizeJob = JSON.parse(process.argv[2] ?? '');
  endWithParent(job.output);
  // Not through Node's own streams: they would make stderr one that refuses what does not fit at once, and the library
  // would lose lines of its log there.
  const worker = new Worker(new URL(import.meta.url), { workerData: job, stdout: true, stderr: true });
  worker.once('message', (done: boolean) => process.exit(done ? 0 : 1));
  worker.once('error', (error) => {
    writeSync(2, `failed to quantize: ${error.message}\n`);
    process.exit(1);
  });
} else {
  parentPort?.postMessage(await runQuantizeJob(workerData));
}
