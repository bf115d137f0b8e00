import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const compiled = pathToFileURL(`${resolve(import.meta.dirname, '../../dist/main')}/`);

/**
 * Threads and processes run what `build-package` has compiled: they are started without the tests' own transformation.
 * Stands in for `src/main/entries.ts`, see vitest.config.ts.
 */
export const engineWorker = new URL('engine-worker.js', compiled);
export const templateChild = new URL('template-child.js', compiled);
export const mediaChild = new URL('media-child.js', compiled);
export const engineChild = new URL('engine-child.js', compiled);
export const pageWorker = new URL('page-worker.js', compiled);
export const quantizeChild = new URL('quantize-child.js', compiled);
export const doctorChild = new URL('doctor-child.js', compiled);
export const bareRatesChild = new URL('bare-rates-child.js', compiled);
export const crashTestChild = new URL('crash-test-child.js', compiled);
