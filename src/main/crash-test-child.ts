import { tryStructure } from '../models/crash-test.ts';

/** What the server starts for a model file that it sees for the first time: its path, and those of adapters. */
const [, , path, ...adapters] = process.argv;
if (path === undefined) process.exit(2);
tryStructure(path, adapters);
process.exit(0);
