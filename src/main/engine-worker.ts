import { serveThread } from '../engine/thread/serve-thread.ts';

/** What the server starts for each model: the engine's thread. */
await serveThread(() => performance.now());
