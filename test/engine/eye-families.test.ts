import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProjectorFile } from '../../src/contract/projector.ts';
import type { Picture } from '../../src/media/eye.ts';
import { openEye } from '../../src/media/families.ts';
import { Projector } from '../../src/media/projector.ts';
import { readProjector } from '../../src/models/projector.ts';
import { Model } from '../../src/native/model.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import { type Attention, type ExpectedImage, type ExpectedRows, readExpected, sampleRows } from '../media/expected.ts';
import { DrivenLoop } from '../support/driven-loop.ts';
import { imageJob } from '../support/image-job.ts';
import { library } from '../support/native.ts';
import { tinyFamilies } from '../support/tiny-families.ts';
import { type TinyImageName, tinyImage, tinyImagesFor } from '../support/tiny-images.ts';
import { writeTinyModel } from '../support/tiny-models.ts';
import { imageMarks, tinyProjectorNames, writeTinyProjector } from '../support/tiny-projectors.ts';

const tolerance = 1e-3;
/** A small part of a block. */
const fewProducts = 100_000;
const attentions: readonly Attention[] = ['flash', 'full'];

let folder: string;
const pools = new ThreadPools(library, {});

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'media-families-'));
});
afterAll(() => {
  pools.free();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(tinyProjectorNames)('%s, as llama.cpp’s multimodal library has it', (name) => {
  let modelPath: string;
  let file: ProjectorFile;
  let model: Model;
  const expected = readExpected(name);
  const images = tinyImagesFor(name);
  const seen = new Map<TinyImageName, Picture>();
  const picture = (image: TinyImageName) => {
    const known = seen.get(image) ?? openEye(file).prepare(tinyImage(image));
    seen.set(image, known);
    return known;
  };

  beforeAll(async () => {
    modelPath = join(folder, `${name}.gguf`);
    const path = join(folder, `mmproj-${name}.gguf`);
    writeTinyModel(modelPath, tinyFamilies[name].text, { marks: imageMarks });
    writeTinyProjector(path, name);
    file = await readProjector(path);
    model = Model.load(library, modelPath, { gpuLayers: 0 });
  });
  afterAll(() => model.free());

  const tokensOf = (text: string) => [...model.vocabulary.tokenize(text, true)];

  it.each(images)('tokens around an image and where its rows stand: %s', (image) => {
    const { chunks } = of(expected.flash, image);
    const grid = model.positions === 'grid';
    const parts = picture(image).parts.map((part) => {
      if (part.type === 'text') return tokensOf(part.text);
      const { columns, lines } = part;
      const rows = columns * lines;
      return grid
        ? [{ rows, columns, lines, advance: Math.max(columns, lines) }]
        : [{ rows, columns: rows, lines: 1, advance: rows }];
    });
    const prompt = [...tokensOf('a'), ...parts.flat(), ...tokensOf('b')];
    const wanted = chunks.flatMap((chunk): unknown[] => {
      if ('tokens' in chunk) return [...chunk.tokens];
      const { norm: _, sample: __, ...place } = chunk;
      return [place];
    });
    expect(prompt).toEqual(wanted);
  });

  describe.each(attentions)('%s attention', (attention) => {
    it.each(images)('rows of an image: %s', (image) => {
      const projector = new Projector(library, file, model.inputRowSize, {
        gpu: false,
        pools,
        flashAttention: attention === 'flash',
        clock: () => 0,
      });
      try {
        projector.compute.useThreads(1);
        const wanted = of(expected[attention], image).chunks.filter((chunk): chunk is ExpectedRows => 'rows' in chunk);
        const tiles = picture(image).parts.filter((part) => part.type === 'rows');
        expect(tiles).toHaveLength(wanted.length);
        for (const [at, { tile }] of tiles.entries()) {
          const rows = projector.begin(tile);
          // Whole, and in pieces as beside other work.
          while (!rows.done) rows.advance(image === 'tall' ? fewProducts : Number.POSITIVE_INFINITY);
          expect(distance(rows.result, wanted[at], model.inputRowSize)).toBeLessThan(tolerance);
          rows.free();
        }
      } finally {
        projector.free();
      }
    });

    it('what a model says about each image', () => {
      const loop = new DrivenLoop(
        {
          contextSize: 4096,
          slots: 1,
          batchSize: 512,
          flashAttention: attention === 'flash',
          projector: { file, cacheBytes: 0 },
        },
        modelPath,
      );
      try {
        const said = images.map((image, run) => {
          const { answer } = of(expected[attention], image);
          loop.run(run, { ...imageJob(image, picture(image), model), maxTokens: answer.length });
          loop.finish();
          return [image, loop.tokensOf(run).map(({ token }) => token)];
        });
        expect(said).toEqual(images.map((image) => [image, of(expected[attention], image).answer]));
      } finally {
        loop.free();
      }
    });
  });
});

function of(images: Record<string, ExpectedImage>, name: TinyImageName): ExpectedImage {
  const image = images[name];
  if (!image) throw new Error(`Nothing is known of ${name}.`);
  return image;
}

/** |a - b| / |b| of the rows that were kept, or how far the norm of all is off, whichever is more. */
function distance(values: Float32Array, expected: ExpectedRows | undefined, width: number): number {
  if (!expected || values.length !== expected.rows * width) return Number.POSITIVE_INFINITY;
  const bytes = Buffer.from(expected.sample, 'base64');
  const wanted = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
  const difference = sampleRows(values, width).map((value, at) => value - (wanted[at] ?? Number.NaN));
  const norm = (numbers: Iterable<number>) => Math.hypot(...numbers);
  const whole = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
  return Math.max(norm(difference) / norm(wanted), Math.abs(whole - expected.norm) / expected.norm);
}
