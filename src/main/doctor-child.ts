import { writeSync } from 'node:fs';
import { examineNative, nativeTask } from '../doctor/native-child.ts';
import { realSystem } from './system.ts';

/** What `serve-model doctor` starts to look at the native library: whatever that does ends this process alone. */
const [, , task = ''] = process.argv;
// At once, not when the event loop comes to it: the next step may end the process.
examineNative(nativeTask.parse(JSON.parse(task)), realSystem.clock, (line) =>
  writeSync(1, `${JSON.stringify(line)}\n`),
);
process.exit(0);
