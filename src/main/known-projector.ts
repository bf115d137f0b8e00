import { toServeError } from '../contract/errors.ts';
import { type ProjectorFile, withoutSense } from '../contract/projector.ts';
import { openSenses } from '../media/senses.ts';
import { type FileProfile, projectorsOf, withProjectors } from '../models/profile.ts';

interface Usable {
  readonly projector: ProjectorFile;
  /** Why one of its encoders cannot be used. */
  readonly reason: string | undefined;
}

/**
 * Projectors that cannot be used are left out, and encoders of others as if they had none; why is told, of the one that is
 * taken, or where none is left: then the model serves text.
 */
export function withUsableProjectors(file: FileProfile, tell: (sentence: string) => void): FileProfile {
  const reasons: string[] = [];
  const usable = projectorsOf(file).flatMap((projector): Usable[] => {
    try {
      const { eye, leftOut } = openSenses(projector);
      if (leftOut === undefined) return [{ projector, reason: undefined }];
      return [{ projector: withoutSense(projector, eye ? 'audio' : 'images'), reason: leftOut }];
    } catch (error) {
      reasons.push(toServeError(error).message);
      return [];
    }
  });
  const reason = usable.length === 0 ? reasons[0] : usable[0]?.reason;
  if (reason !== undefined) tell(reason);
  return withProjectors(
    file,
    usable.map(({ projector }) => projector),
  );
}
