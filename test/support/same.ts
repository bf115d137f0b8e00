import { isDeepStrictEqual } from 'node:util';
import { expect } from 'vitest';

/**
 * `expect(actual, label).toEqual(wanted)` for what is compared many thousand times: `expect` takes longer than the work
 * under test, so it is asked only where the two differ, or seem to.
 */
export function expectSame(actual: unknown, wanted: unknown, label?: string): void {
  if (!isDeepStrictEqual(actual, wanted)) expect(actual, label).toEqual(wanted);
}
