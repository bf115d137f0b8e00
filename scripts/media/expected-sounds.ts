import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ExpectedSound, ExpectedSoundChunk } from '../../test/media/expected-sounds.ts';
import { sketchOf } from '../../test/support/sketch.ts';
import { tinyEars } from '../../test/support/tiny-ears.ts';
import { writeTinyModel } from '../../test/support/tiny-models.ts';
import { soundMarks, type TinyEarName, writeTinyEar } from '../../test/support/tiny-projectors.ts';
import { quicklyHeard, type TinySoundName, tinySound, tinySoundNames } from '../../test/support/tiny-sounds.ts';
import type { MtmdProgram, ProgramOutputs } from './mtmd-program.ts';

interface Seen {
  readonly chunks: readonly (
    | { readonly tokens: readonly number[] }
    | { readonly rows: number; readonly advance: number }
  )[];
  readonly answer: readonly number[];
  readonly spectrograms: readonly { readonly frames: number; readonly bands: number }[];
}

export const folderOfExpectedSounds = 'test/media/expected-sounds';

/** What llama.cpp's multimodal library makes of the tests' sounds with one tiny projector. */
export function writeExpectedSounds(name: TinyEarName, program: MtmdProgram, folder: string): void {
  const model = join(folder, 'model.gguf');
  const projector = join(folder, 'projector.gguf');
  writeTinyModel(model, tinyEars[name].text, { model: 'models/serve-model-demo.gguf', marks: soundMarks });
  writeTinyEar(projector, name);
  const run = (flash: boolean, names: readonly TinySoundName[]) => {
    const lines = names.map((sound) => {
      const path = join(folder, sound);
      const samples = tinySound(sound);
      writeFileSync(path, new Uint8Array(samples.buffer));
      return `0 ${samples.length} ${path}`;
    });
    return expectedOf(program.run<Seen>({ model, projector, flash, lines }), names);
  };
  mkdirSync(folderOfExpectedSounds, { recursive: true });
  const expected = { flash: run(true, quicklyHeard), full: run(false, tinySoundNames) };
  writeFileSync(join(folderOfExpectedSounds, `${name}.json`), `${JSON.stringify(expected)}\n`);
  process.stdout.write(`${name}\n`);
}

function expectedOf(outputs: ProgramOutputs<Seen>, names: readonly TinySoundName[]): Record<string, ExpectedSound> {
  const rows = outputs.seen.flatMap(({ chunks }) => chunks.flatMap((chunk) => ('rows' in chunk ? [chunk.rows] : [])));
  const width = outputs.rows.length / rows.reduce((sum, count) => sum + count, 0);
  const takeRows = taker(outputs.rows);
  const takeFrames = taker(outputs.spectrograms);
  const chunkOf = (chunk: Seen['chunks'][number]): ExpectedSoundChunk =>
    'rows' in chunk ? { ...chunk, sketch: sketchOf(takeRows(chunk.rows * width)) } : chunk;
  return Object.fromEntries(
    outputs.seen.map(({ chunks, answer, spectrograms }, at): [TinySoundName, ExpectedSound] => {
      const name = names[at];
      if (name === undefined) throw new Error('There are more answers than sounds.');
      const seen = spectrograms.map(({ frames, bands }) => ({
        ...{ frames, bands },
        sketch: sketchOf(takeFrames(frames * bands)),
      }));
      return [name, { chunks: chunks.map(chunkOf), answer, spectrograms: seen }];
    }),
  );
}

function taker(values: Float32Array): (count: number) => Float32Array {
  let from = 0;
  return (count) => {
    const taken = values.subarray(from, from + count);
    from += count;
    return taken;
  };
}
