import { ServeError } from '../../contract/errors.ts';
import { Recorder, type SampleSink, type SoundLimits } from './recorder.ts';
import { refusedSound } from './refused-sound.ts';
import { decodeWav, isWav } from './wav.ts';

/** One kind of file. */
interface SoundFormat {
  /** By its first bytes: what a client calls it is not believed. */
  is(file: Uint8Array): boolean;
  /** ServeError invalid_request, or any other error where it is damaged. */
  decode(file: Uint8Array, sink: SampleSink): void | Promise<void>;
}

/** As people call them -> how they are read. */
const formats: Readonly<Record<string, SoundFormat>> = {
  WAV: { is: isWav, decode: decodeWav },
};

/** Of the whole file one channel, `rate` samples a second. ServeError invalid_request. */
export async function decodeSound(file: Uint8Array, rate: number, limits: SoundLimits): Promise<Float32Array> {
  const found = Object.entries(formats).find(([, format]) => format.is(file));
  if (!found) {
    const why = file.length === 0 ? 'it is empty' : 'its first bytes are none that are known';
    throw refusedSound(`${why}. Sounds are ${Object.keys(formats).join(', ')} files`);
  }
  const [name, format] = found;
  const recorder = new Recorder(rate, limits);
  try {
    await format.decode(file, recorder);
  } catch (error) {
    if (error instanceof ServeError) throw error;
    throw refusedSound(`this ${name} file is damaged or cut off`, error);
  }
  return recorder.finish();
}
