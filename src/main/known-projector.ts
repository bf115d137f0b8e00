import { toServeError } from '../contract/errors.ts';
import { openEye } from '../media/families.ts';
import type { FileProfile } from '../models/profile.ts';

/** A projector that cannot be used is left out, and why is told: the model serves text. */
export function withUsableProjector(file: FileProfile, tell: (sentence: string) => void): FileProfile {
  const { projector, ...others } = file;
  if (!projector) return file;
  try {
    openEye(projector);
    return file;
  } catch (error) {
    tell(toServeError(error).message);
    return others;
  }
}
