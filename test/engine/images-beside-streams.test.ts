import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { ProjectorFile } from '../../src/contract/projector.ts';
import { openEye } from '../../src/media/families.ts';
import { readProjector } from '../../src/models/projector.ts';
import { DrivenLoop } from '../support/driven-loop.ts';
import { imageJob } from '../support/image-job.ts';
import { tinyImage } from '../support/tiny-images.ts';
import { writeTinyModel } from '../support/tiny-models.ts';
import { imageMarks, writeTinyProjector } from '../support/tiny-projectors.ts';

let folder: string;
let modelPath: string;
let file: ProjectorFile;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'images-beside-streams-'));
  modelPath = join(folder, 'model.gguf');
  const path = join(folder, 'mmproj.gguf');
  writeTinyModel(modelPath, 'qwen2vl', { marks: imageMarks });
  writeTinyProjector(path, 'qwen2vl');
  file = await readProjector(path);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** A step of the loop looks at the clock a few times: a piece takes as long as this, however much it computes. */
const tick = 1;
/** One and a half of it are what a piece may take: as much as it was seen to take, whatever that was. */
const stepTargetMs = 1 / 1.5;

function openLoop(): DrivenLoop {
  const sizes = { contextSize: 2048, slots: 2, batchSize: 512, threads: 2, stepTargetMs };
  const loop = new DrivenLoop({ ...sizes, projector: { file, cacheBytes: 2 ** 20 } }, modelPath);
  loop.tick = tick;
  return loop;
}

it('between two pieces of an image a running stream has a step, and the image is what it is alone', () => {
  const picture = openEye(file).prepare(tinyImage('large'));
  const answer = (streams: number) => {
    const loop = openLoop();
    try {
      const job = { ...imageJob('large', picture, loop.model), slot: 1, maxTokens: 6 };
      if (streams > 0) {
        loop.run(1, { prompt: Int32Array.from(loop.tokens('Hello')), maxTokens: 400 });
        loop.step();
      }
      loop.run(2, job);
      const streamed: number[] = [];
      while (loop.tokensOf(2).length === 0) {
        const before = loop.tokensOf(1).length;
        if (!loop.step()) throw new Error('There was nothing to do, and the image is not read.');
        streamed.push(loop.tokensOf(1).length - before);
        loop.answerAll();
      }
      loop.abort(1);
      loop.finish();
      return { said: loop.tokensOf(2).map(({ token }) => token), streamed };
    } finally {
      loop.free();
    }
  };
  const alone = answer(0);
  const beside = answer(1);
  expect(beside.said).toEqual(alone.said);
  // 1,900 patches see each other in two blocks: half a billion multiplications, in pieces of a hundred million.
  const steps = beside.streamed.length;
  expect(steps).toBeGreaterThan(5);
  expect(alone.streamed.length).toBeLessThan(5);
  // Tokens are told a little later than they are drawn.
  const streamed = beside.streamed.reduce((sum, tokens) => sum + tokens);
  expect(steps - streamed).toBeLessThan(5);
  expect(Math.max(...beside.streamed)).toBeLessThan(3);
});
