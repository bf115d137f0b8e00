import { type ChildPort, serveEngine } from '../engine/process/child.ts';
import type { ToChild } from '../engine/process/protocol.ts';
import { createTuningCache } from '../engine/tuning.ts';
import { createJsonFile } from '../files/json-file.ts';
import { engineWorker } from './entries.ts';

/** What `--engine-process` starts for each model: the builder of that process. */
const port: ChildPort = {
  send: (message) => void process.send?.(message, undefined, undefined, () => undefined),
  end: () => process.exit(0),
};
const take = serveEngine(port, {
  clock: () => performance.now(),
  entry: engineWorker,
  openTuningCache: (path) => createTuningCache(createJsonFile(path, {})),
});

process.on('message', (message: ToChild) => take(message));
// Without its parent it has nobody to serve, and whatever it is doing must not keep it.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal and a supervisor signal all processes; when this one ends is for the server to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
if (!process.send) {
  process.stderr.write('This file is started by serve-model --engine-process.\n');
  process.exit(2);
}
