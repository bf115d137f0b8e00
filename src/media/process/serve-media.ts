import { toWire } from '../../contract/wire-error.ts';
import { decodeImage } from '../decode.ts';
import { openEar } from '../ears.ts';
import { openEye } from '../families.ts';
import type { Prepared } from '../prepared.ts';
import { decodeSound } from '../sound/decode-sound.ts';
import type { FromMedia, ToMedia } from './protocol.ts';

/** The process's end: returns what takes the server's messages. */
export function serveMedia(send: (message: FromMedia) => void): (message: ToMedia) => void {
  const eyeOf = oncePerProjector(openEye);
  const earOf = oncePerProjector(openEar);
  async function prepare({ type, file, projector, limits }: ToMedia): Promise<Prepared> {
    if (type === 'image') return eyeOf(projector).prepare(await decodeImage(file, limits.image));
    const ear = earOf(projector);
    return ear.prepare(await decodeSound(file, ear.rate, limits.audio));
  }
  let last = Promise.resolve();
  return (message) => {
    last = last.then(async () => {
      const { id } = message;
      try {
        send({ id, prepared: await prepare(message) });
      } catch (error) {
        send({ id, error: toWire(error) });
      }
    });
  };
}

function oncePerProjector<Sense>(open: (projector: ToMedia['projector']) => Sense) {
  const opened = new Map<string, Sense>();
  return (projector: ToMedia['projector']): Sense => {
    const sense = opened.get(projector.path) ?? open(projector);
    opened.set(projector.path, sense);
    return sense;
  };
}
