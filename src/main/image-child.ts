import { writeFileSync } from 'node:fs';
import type { FromImages, ToImages } from '../media/process/protocol.ts';
import { serveImages } from '../media/process/serve-images.ts';

/** What the server starts to read images: the builder of that process. */
const take = serveImages((message: FromImages) => void process.send?.(message, undefined, undefined, () => undefined));

if (!process.send) {
  process.stderr.write('This file is started by serve-model to read images.\n');
  process.exit(2);
}
process.on('message', (message: ToImages) => take(message));
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'));
// A terminal and a supervisor signal all processes; when this one ends is for the server to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
preferAsVictim();

/** When memory runs out on Linux, an image that takes it all goes before the server. */
function preferAsVictim(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // Another system, or one that does not allow it.
  }
}
