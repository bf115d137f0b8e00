import { modelName } from './find-model.ts';

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
