import { writeFileSync } from 'node:fs';
import type { FromMedia, ToMedia } from '../media/process/protocol.ts';
import { serveMedia } from '../media/process/serve-media.ts';

/** What the server starts to read images and sounds: the builder of that process. */
const take = serveMedia((message: FromMedia) => void process.send?.(message, undefined, undefined, () => undefined));

if (!process.send) {
  process.stderr.write('This file is started by serve-model to read images and sounds.\n');
  process.exit(2);
}
process.on('message', (message: ToMedia) => take(message));
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal and a supervisor signal all processes; when this one ends is for the server to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
preferAsVictim();

/** When memory runs out on Linux, a file that takes it all goes before the server. */
function preferAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, or one that does not allow it.
  }
}
