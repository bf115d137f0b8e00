import { ServeError, toServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import type { Ear } from './ear.ts';
import { openEar } from './ears.ts';
import type { Eye } from './eye.ts';
import { openEye } from './families.ts';
import { hasSense } from './projector-file.ts';

/** What of a projector file can be used: one of the two at least. */
export interface Senses {
  readonly eye?: Eye;
  readonly ear?: Ear;
  /** Why the other one, which the file has too, cannot be used. */
  readonly leftOut?: string;
}

/** ServeError invalid_request: nothing in it can be used. */
export function openSenses(file: ProjectorFile): Senses {
  if (!hasSense(file, 'a')) return { eye: openEye(file) };
  if (!hasSense(file, 'v')) return { ear: openEar(file) };
  const [eye, ear] = [attempt(() => openEye(file)), attempt(() => openEar(file))];
  if (eye instanceof ServeError && ear instanceof ServeError) throw eye;
  if (eye instanceof ServeError)
    return ear instanceof ServeError ? { leftOut: eye.message } : { ear, leftOut: eye.message };
  return ear instanceof ServeError ? { eye, leftOut: ear.message } : { eye, ear };
}

function attempt<Value>(open: () => Value): Value | ServeError {
  try {
    return open();
  } catch (error) {
    return toServeError(error);
  }
}
