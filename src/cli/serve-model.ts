#!/usr/bin/env node
import { mostlyServes } from './mostly-serves.ts';
import { restartWithHugePages } from './restart.ts';

// First of all: what has been read until then is read twice.
restartWithHugePages();
const argv = process.argv.slice(2);
// A guess, which `run` takes back: most starts serve.
if (mostlyServes(argv)) (await import('../prepare.ts')).prepareThread();
const { run } = await import('./run.ts');
await run(argv);
