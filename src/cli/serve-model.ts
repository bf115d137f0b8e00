#!/usr/bin/env node
import { restartWithHugePages } from './restart.ts';

// First of all: what has been read until then is read twice.
restartWithHugePages();
const { run } = await import('./run.ts');
await run(process.argv.slice(2));
