import { entry, type RawEntry, type Tensor, writeGguf } from '../../scripts/bench/gguf.ts';
import { halves } from '../../scripts/bench/random-tensors.ts';
import { Random } from './random.ts';
import { tinyEars } from './tiny-ears.ts';
import { tinyFamilies } from './tiny-families.ts';
import { type TinyArchitecture, tinyWidth } from './tiny-models.ts';

/** Projectors of random weights, small enough to be written by each test that needs one. */
export interface TinyFamily {
  /** `clip.projector_type`. */
  readonly kind: string;
  /** Of the model that it sees or hears for. */
  readonly text: TinyArchitecture;
  readonly facts: readonly RawEntry[];
  readonly weights: readonly TinyWeight[];
}

export interface TinyWeight {
  readonly name: string;
  /** Fastest dimension first. Matrices are written in half precision, as converters do it. */
  readonly shape: readonly number[];
  /** Around which number, and how far from it. */
  readonly mean: number;
  readonly deviation: number;
}

export type TinyProjectorName = keyof typeof tinyFamilies;
export const tinyProjectorNames = Object.keys(tinyFamilies) as readonly TinyProjectorName[];

export type TinyEarName = keyof typeof tinyEars;
export const tinyEarNames = Object.keys(tinyEars) as readonly TinyEarName[];

/** Control tokens that stand around sounds, of all families. */
export const soundMarks = [
  '<|audio_bos|>',
  '<|audio_eos|>',
  '[BEGIN_AUDIO]',
  '<|audio_start|>',
  '<|audio_end|>',
  '<|audio>',
  '<audio|>',
];

/** Control tokens that stand around images, of all families. */
export const imageMarks = [
  '<|vision_start|>',
  '<|vision_end|>',
  '<start_of_image>',
  '<end_of_image>',
  '<fake_token_around_image>',
  '<global-img>',
  ...numbered((line, column) => `<row_${line}_col_${column}>`),
  '<img>',
  '</img>',
  '[IMG_END]',
  '<|image_start|>',
  '<|image_end|>',
  ...numbered((line, column) => `<|img_row_${line}_col_${column}|>`),
  '<|img_thumbnail|>',
  '<|begin_of_image|>',
  '<|end_of_image|>',
];

function numbered(mark: (line: number, column: number) => string): string[] {
  const most = 7;
  return Array.from({ length: most ** 2 }, (_, at) => mark(Math.floor(at / most) + 1, (at % most) + 1));
}

export function writeTinyProjector(path: string, name: TinyProjectorName): void {
  writeProjector(path, { vision: tinyFamilies[name] });
}

export function writeTinyEar(path: string, name: TinyEarName): void {
  writeProjector(path, { audio: tinyEars[name] });
}

/** One encoder, or both in one file, each of its own kind. */
export function writeProjector(
  path: string,
  senses: { readonly vision?: TinyFamily; readonly audio?: TinyFamily },
  rowWidth = tinyWidth,
): void {
  const alone = Object.keys(senses).length === 1;
  const each = Object.entries(senses).flatMap(([sense, { kind, facts }]: [string, TinyFamily]) => [
    entry(`clip.has_${sense}_encoder`, 'bool', true),
    entry(alone ? 'clip.projector_type' : `clip.${sense}.projector_type`, 'string', kind),
    entry(`clip.${sense}.projection_dim`, 'uint32', rowWidth),
    ...facts,
  ]);
  const head = [entry('general.architecture', 'string', 'clip'), entry('general.type', 'string', 'mmproj')];
  const weights = Object.values(senses).flatMap((family: TinyFamily) => family.weights);
  writeGguf(path, [...head, ...each], weights.map(tensorOf));
}

/** Each tensor has its own numbers, whichever stand before it. */
function tensorOf({ name, shape, mean, deviation }: TinyWeight): Tensor {
  const half = shape.length > 1 && !/position_embd|bias$/.test(name);
  return {
    name,
    shape,
    type: half ? 'F16' : 'F32',
    data() {
      const random = new Random(seedOf(name));
      const size = shape.reduce((product, side) => product * side, 1);
      const even = () => (random.next() * 2 - 1) * Math.sqrt(3) * deviation;
      const values = Float32Array.from({ length: size }, () => mean + even());
      return half ? halves(values) : new Uint8Array(values.buffer);
    },
  };
}

function seedOf(name: string): number {
  let seed = 20_260_601;
  for (const character of name) seed = Math.imul(seed ^ (character.codePointAt(0) ?? 0), 0x01000193);
  return seed;
}
