import { entry, type RawEntry, type Tensor, writeGguf } from '../../scripts/bench/gguf.ts';
import { halves } from '../../scripts/bench/random-tensors.ts';
import { Random } from './random.ts';
import { tinyFamilies } from './tiny-families.ts';
import { type TinyArchitecture, tinyWidth } from './tiny-models.ts';

/** Projectors of random weights, small enough to be written by each test that needs one. */
export interface TinyFamily {
  /** `clip.projector_type`. */
  readonly kind: string;
  /** Of the model that it sees for. */
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
  const { kind, facts, weights }: TinyFamily = tinyFamilies[name];
  const common = [
    entry('general.architecture', 'string', 'clip'),
    entry('general.type', 'string', 'mmproj'),
    entry('clip.has_vision_encoder', 'bool', true),
    entry('clip.projector_type', 'string', kind),
    entry('clip.vision.projection_dim', 'uint32', tinyWidth),
  ];
  writeGguf(path, [...common, ...facts], weights.map(tensorOf));
}

/** Each tensor has its own numbers, whichever stand before it. */
function tensorOf({ name, shape, mean, deviation }: TinyWeight): Tensor {
  const half = shape.length > 1 && !name.includes('position_embd');
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
