import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProjectorFile } from '../../src/contract/projector.ts';
import type { JobMedium } from '../../src/engine/engine.ts';
import { mediaIds } from '../../src/engine/media-ids.ts';
import type { Hearing } from '../../src/media/ear.ts';
import { openEar } from '../../src/media/ears.ts';
import { Projector } from '../../src/media/projector.ts';
import { readProjector } from '../../src/models/projector.ts';
import { Model } from '../../src/native/model.ts';
import { ThreadPools } from '../../src/native/thread-pools.ts';
import type { Attention } from '../media/expected.ts';
import { type ExpectedSound, type ExpectedSoundRows, readExpectedSounds } from '../media/expected-sounds.ts';
import { DrivenLoop } from '../support/driven-loop.ts';
import { library } from '../support/native.ts';
import { Random } from '../support/random.ts';
import { distanceTo } from '../support/sketch.ts';
import { tinyEars } from '../support/tiny-ears.ts';
import { writeTinyModel } from '../support/tiny-models.ts';
import { soundMarks, tinyEarNames, writeTinyEar } from '../support/tiny-projectors.ts';
import { quicklyHeard, type TinySoundName, tinySound, tinySoundNames } from '../support/tiny-sounds.ts';

const tolerance = 1e-3;
/** Decoding the rows of a minute and a half takes longer than it tells. */
const answered: readonly TinySoundName[] = ['instant', 'tone', 'long'];
/** Multiplications: a few dozen pieces of a sound. */
const fewProducts = 2e6;
const attentions: readonly Attention[] = ['flash', 'full'];

let folder: string;
const pools = new ThreadPools(library, {});

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ear-families-'));
});
afterAll(() => {
  pools.free();
  rmSync(folder, { recursive: true, force: true });
});

describe.each(tinyEarNames)('%s, as llama.cpp’s multimodal library has it', (name) => {
  let file: ProjectorFile;
  let model: Model;
  const expected = readExpectedSounds(name);
  const heard = new Map<TinySoundName, Hearing>();
  const hearing = (sound: TinySoundName) => {
    const known = heard.get(sound) ?? openEar(file).prepare(tinySound(sound));
    heard.set(sound, known);
    return known;
  };
  const piecesOf = (sound: TinySoundName) =>
    hearing(sound).parts.flatMap((part) => (part.type === 'rows' ? [part.tile] : []));

  beforeAll(async () => {
    const modelPath = join(folder, `${name}.gguf`);
    const path = join(folder, `mmproj-${name}.gguf`);
    writeTinyModel(modelPath, tinyEars[name].text, { marks: soundMarks });
    writeTinyEar(path, name);
    file = await readProjector(path);
    model = Model.load(library, modelPath, { gpuLayers: 0 });
  });
  afterAll(() => model.free());

  it.each(tinySoundNames)('spectrogram of each piece: %s', (sound) => {
    const { spectrograms } = of(expected.full, sound);
    const pieces = piecesOf(sound);
    expect(pieces.map(({ frames, bands }) => ({ frames, bands }))).toEqual(
      spectrograms.map(({ frames, bands }) => ({ frames, bands })),
    );
    for (const [at, { sketch }] of spectrograms.entries()) {
      expect(distanceTo(pieces[at]?.values ?? new Float32Array(), sketch)).toBeLessThan(tolerance);
    }
  });

  it.each(tinySoundNames)('tokens around a sound and how many rows stand for it: %s', (sound) => {
    const tokensOf = (text: string) => [...model.vocabulary.tokenize(text, true)];
    const parts = hearing(sound).parts.map((part) =>
      part.type === 'text' ? tokensOf(part.text) : [{ rows: part.rows, advance: part.rows }],
    );
    const wanted = of(expected.full, sound).chunks.flatMap((chunk): unknown[] =>
      'tokens' in chunk ? [...chunk.tokens] : [{ rows: chunk.rows, advance: chunk.advance }],
    );
    expect([...tokensOf('a'), ...parts.flat(), ...tokensOf('b')]).toEqual(wanted);
  });

  it.each(attentions)('rows of each sound: %s attention', { timeout: 300_000 }, (attention) => {
    const sounds = attention === 'full' ? tinySoundNames : quicklyHeard;
    const flashAttention = attention === 'flash';
    const projector = new Projector(library, file, model.inputRowSize, {
      gpu: false,
      pools,
      flashAttention,
      clock: () => 0,
    });
    try {
      projector.compute.useThreads(1);
      for (const sound of sounds) {
        const wanted = of(expected[attention], sound).chunks.filter(
          (chunk): chunk is ExpectedSoundRows => 'rows' in chunk,
        );
        const distances = piecesOf(sound).map((piece, at) => {
          const rows = projector.begin(piece);
          // Whole, and in pieces as beside other work.
          while (!rows.done) rows.advance(sound === 'instant' ? fewProducts : Number.POSITIVE_INFINITY);
          const { sketch } = wanted[at] ?? {};
          const distance = sketch ? distanceTo(rows.result, sketch) : Number.NaN;
          rows.free();
          return distance;
        });
        expect(distances).toHaveLength(wanted.length);
        for (const distance of distances) expect(distance, `${sound}: ${distances}`).toBeLessThan(tolerance);
      }
    } finally {
      projector.free();
    }
  });

  it('what a model says about each sound', () => {
    const options = { contextSize: 4096, slots: 1, batchSize: 512, flashAttention: false } as const;
    const loop = new DrivenLoop({ ...options, projector: { file, cacheBytes: 0 } }, join(folder, `${name}.gguf`));
    try {
      const said = answered.map((sound, run) => {
        const { answer } = of(expected.full, sound);
        loop.run(run, { ...jobOf(sound, hearing(sound), model), maxTokens: answer.length });
        loop.finish();
        return [sound, loop.tokensOf(run).map(({ token }) => token)];
      });
      expect(said).toEqual(answered.map((sound) => [sound, of(expected.full, sound).answer]));
    } finally {
      loop.free();
    }
  });
});

/** The prompt `a<sound>b`. */
function jobOf(name: TinySoundName, { parts }: Hearing, { vocabulary }: Model) {
  const random = new Random(1);
  const prompt: number[] = [...vocabulary.tokenize('a', true)];
  const media: JobMedium[] = [];
  for (const part of parts) {
    if (part.type === 'text') {
      prompt.push(...vocabulary.tokenize(part.text, true));
      continue;
    }
    const { rows, tile } = part;
    media.push({ start: prompt.length, rows, tile, key: `${name} ${media.length}`, owner: '' });
    prompt.push(
      ...mediaIds(
        rows,
        Uint8Array.from({ length: 4 * rows }, () => random.between(0, 255)),
      ),
    );
  }
  prompt.push(...vocabulary.tokenize('b', true));
  return { prompt: Int32Array.from(prompt), media };
}

function of(sounds: Record<string, ExpectedSound>, name: TinySoundName): ExpectedSound {
  const sound = sounds[name];
  if (!sound) throw new Error(`Nothing is known of ${name}.`);
  return sound;
}
