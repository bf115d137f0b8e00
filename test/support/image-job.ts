import type { JobMedium } from '../../src/engine/engine.ts';
import { mediaIds } from '../../src/engine/media-ids.ts';
import type { Picture } from '../../src/media/eye.ts';
import type { Model } from '../../src/native/model.ts';
import { Random } from './random.ts';

/** What is to be run of a job whose prompt is `a<image>b`. */
export function imageJob(name: string, { parts }: Picture, { vocabulary, positions }: Model) {
  const random = new Random(1);
  const prompt: number[] = [...vocabulary.tokenize('a', true)];
  const images: JobMedium[] = [];
  for (const part of parts) {
    if (part.type === 'text') {
      prompt.push(...vocabulary.tokenize(part.text, true));
      continue;
    }
    const { columns, lines, tile } = part;
    const rows = columns * lines;
    images.push({ start: prompt.length, rows, columns, tile, key: `${name} ${images.length}`, owner: '' });
    const hash = Uint8Array.from({ length: 4 * rows }, () => random.between(0, 255));
    prompt.push(...mediaIds(rows, hash, positions === 'grid' ? Math.max(columns, lines) : 0));
  }
  prompt.push(...vocabulary.tokenize('b', true));
  return { prompt: Int32Array.from(prompt), media: images };
}
