import { resolve } from 'node:path';

/** A path of the repository; scripts run from where they are compiled to, `.cache/scripts/scripts`. */
export function inRepository(path: string): string {
  return resolve(import.meta.dirname, '../../..', path);
}
