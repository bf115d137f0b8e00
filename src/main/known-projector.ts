import { toServeError } from '../contract/errors.ts';
import type { ProjectorFile } from '../contract/projector.ts';
import { openEye } from '../media/families.ts';
import { type FileProfile, projectorsOf, withProjectors } from '../models/profile.ts';

/** Projectors that cannot be used are left out; where none is left, why is told: the model serves text. */
export function withUsableProjectors(file: FileProfile, tell: (sentence: string) => void): FileProfile {
  const reasons: string[] = [];
  const isUsable = (projector: ProjectorFile) => {
    try {
      openEye(projector);
      return true;
    } catch (error) {
      reasons.push(toServeError(error).message);
      return false;
    }
  };
  const usable = projectorsOf(file).filter(isUsable);
  const [reason] = reasons;
  if (usable.length === 0 && reason !== undefined) tell(reason);
  return withProjectors(file, usable);
}
