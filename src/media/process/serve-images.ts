import { toWire } from '../../contract/wire-error.ts';
import { decodeImage } from '../decode.ts';
import type { Eye } from '../eye.ts';
import { openEye } from '../families.ts';
import type { FromImages, ToImages } from './protocol.ts';

/** The process's end: returns what takes the server's messages. */
export function serveImages(send: (message: FromImages) => void): (message: ToImages) => void {
  const eyes = new Map<string, Eye>();
  const eyeOf = (projector: ToImages['projector']): Eye => {
    const known = eyes.get(projector.path);
    const eye = known ?? openEye(projector);
    eyes.set(projector.path, eye);
    return eye;
  };
  let last = Promise.resolve();
  return (message) => {
    last = last.then(async () => {
      const { id, file, projector, limits } = message;
      try {
        send({ id, picture: eyeOf(projector).prepare(await decodeImage(file, limits)) });
      } catch (error) {
        send({ id, error: toWire(error) });
      }
    });
  };
}
