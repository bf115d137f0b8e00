/**
 * Writes what llama.cpp's multimodal library makes of the tests' images with their tiny projectors into
 * test/media/expected: the tokens around each image, every 16th row and the norm of all, where the rows stand, and what
 * a tiny model says behind them, with flash attention and without. And of the tests' sounds, with those that hear, into
 * test/media/expected-sounds: also the spectrogram, and of both a sketch. The tests need none of what this needs:
 *
 *   npm run media:expected -- LLAMA_CPP [NAME...]
 *
 * LLAMA_CPP is llama.cpp's source of the release that node-llama-cpp carries, built into its folder `build`:
 *
 *   cmake -B build -DBUILD_SHARED_LIBS=ON && cmake --build build --target mtmd
 *
 * A C++ compiler (`c++`) builds mtmd-rows.cpp against it.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ExpectedChunk, type ExpectedImage, sampleRows } from '../../test/media/expected.ts';
import { tinyFamilies } from '../../test/support/tiny-families.ts';
import { tinyImage, tinyImages, tinyImagesFor } from '../../test/support/tiny-images.ts';
import { tinyWidth, writeTinyModel } from '../../test/support/tiny-models.ts';
import {
  imageMarks,
  type TinyProjectorName,
  tinyEarNames,
  tinyProjectorNames,
  writeTinyProjector,
} from '../../test/support/tiny-projectors.ts';
import { folderOfExpectedSounds, writeExpectedSounds } from './expected-sounds.ts';
import { MtmdProgram } from './mtmd-program.ts';

type Chunk =
  | { readonly tokens: readonly number[] }
  | {
      readonly rows: number;
      readonly advance: number;
      readonly times: readonly number[];
      readonly lines: readonly number[];
      readonly columns: readonly number[];
    };

interface Seen {
  readonly chunks: readonly Chunk[];
  readonly answer: readonly number[];
}

const folderOfExpected = 'test/media/expected';
const [source = '', ...named] = process.argv.slice(2);
if (source === '') throw new Error('Where is llama.cpp? See the top of this script.');
const folder = mkdtempSync(join(tmpdir(), 'media-expected-'));
const program = new MtmdProgram(source, folder);
try {
  const names = tinyProjectorNames.filter((name) => named.length === 0 || named.includes(name));
  for (const name of names) write(name);
  const ears = tinyEarNames.filter((name) => named.length === 0 || named.includes(name));
  for (const name of ears) writeExpectedSounds(name, program, folder);
  execFileSync('npx', ['biome', 'format', '--write', folderOfExpected, folderOfExpectedSounds]);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function write(name: TinyProjectorName): void {
  const model = join(folder, 'model.gguf');
  const projector = join(folder, 'projector.gguf');
  writeTinyModel(model, tinyFamilies[name].text, { model: 'models/serve-model-demo.gguf', marks: imageMarks });
  writeTinyProjector(projector, name);
  const names = tinyImagesFor(name);
  const images = names.map((image) => {
    const path = join(folder, image);
    writeFileSync(path, tinyImage(image).bytes);
    return `${tinyImages[image].join(' ')} ${path}`;
  });
  const run = (flash: boolean) => {
    const { seen, rows } = program.run<Seen>({ model, projector, flash, lines: images });
    return expectedOf(names, seen, rows);
  };
  const expected = { flash: run(true), full: run(false) };
  mkdirSync(folderOfExpected, { recursive: true });
  writeFileSync(join(folderOfExpected, `${name}.json`), `${JSON.stringify(expected)}\n`);
  process.stdout.write(`${name}\n`);
}

function expectedOf(
  names: readonly string[],
  seen: readonly Seen[],
  values: Float32Array,
): Record<string, ExpectedImage> {
  const total = seen
    .flatMap(({ chunks }) => chunks)
    .reduce((sum, chunk) => sum + ('rows' in chunk ? chunk.rows : 0), 0);
  const width = values.length / total;
  if (width % tinyWidth !== 0) throw new Error(`Rows have ${width} values.`);
  let at = 0;
  const chunkOf = (chunk: Chunk): ExpectedChunk => {
    if ('tokens' in chunk) return { tokens: chunk.tokens };
    const { rows, advance, lines, columns, times } = chunk;
    const own = values.subarray(at, at + rows * width);
    at += rows * width;
    const onGrid = times.every((time) => time === 0) && rows > 1;
    return {
      rows,
      advance,
      columns: onGrid ? Math.max(...columns) + 1 : rows,
      lines: onGrid ? Math.max(...lines) + 1 : 1,
      norm: Math.sqrt(own.reduce((sum, value) => sum + value * value, 0)),
      sample: Buffer.from(Float32Array.from(sampleRows(own, width)).buffer).toString('base64'),
    };
  };
  return Object.fromEntries(
    seen.map(({ chunks, answer }, index) => [names[index], { chunks: chunks.map(chunkOf), answer }]),
  );
}
