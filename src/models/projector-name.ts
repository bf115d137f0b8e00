import { basename } from 'node:path';
import { modelName } from './find-model.ts';
import { quantizationOf } from './hub-name.ts';

const precision = /^(i?q\d\w*|f16|f32|bf16|fp16|fp32|mxfp4|ud|k|m|s|l|xl|\d)$/i;

function wordsOf(path: string): string[] {
  const words = modelName(path)
    .toLowerCase()
    .split(/[^a-z0-9.]+/);
  return words.filter((word) => word !== '' && word !== 'mmproj' && word !== 'model' && !precision.test(word));
}

/** A model's name without its precision. */
export function stemOf(path: string): string {
  return wordsOf(path).join(' ');
}

/** How many words the names have in common; undefined: the projector is named after another model. */
export function likenessOfNames(model: string, projector: string): number | undefined {
  const own = wordsOf(model);
  const words = wordsOf(projector);
  return words.every((word) => own.includes(word)) ? words.length : undefined;
}

/** Half precision is what projectors are usually used in; coarser ones see worse, finer ones no better. */
const precisions = ['F16', 'BF16', 'F32', 'Q8_0'];

/** The place of its precision, as the file's name tells it; the best is 0. */
function precisionRank(path: string): number {
  const quantization = quantizationOf(basename(path)) ?? '';
  const place = precisions.indexOf(quantization);
  return place < 0 ? precisions.length + 8 - Number(/\d/.exec(quantization)?.[0] ?? 0) : place;
}

/** The better precision first; of one precision by name, so that nothing hangs on the order that a disk or a hub has. */
export function byPrecision(left: { readonly path: string }, right: { readonly path: string }): number {
  return precisionRank(left.path) - precisionRank(right.path) || (left.path < right.path ? -1 : 1);
}

/** The one whose name has most in common with the model's; of several the best precision. */
export function bestProjector<File extends { readonly path: string }>(
  model: string,
  projectors: readonly File[],
): File | undefined {
  const likeness = ({ path }: File) => likenessOfNames(model, path) ?? -1;
  return projectors.toSorted((left, right) => likeness(right) - likeness(left) || byPrecision(left, right))[0];
}
