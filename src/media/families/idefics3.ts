import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye, PicturePart } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { linear } from '../parts/layers.ts';
import { placesName } from '../parts/places.ts';
import { shuffled } from '../parts/pooling.ts';
import { black } from '../parts/prepare.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { sizeWithin } from '../parts/size.ts';
import { gridOf } from '../parts/squares.ts';
import { rowsOfTile, text, tilesOf } from '../parts/tiles.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resize, resizeInto } from '../resize.ts';

const around = '<fake_token_around_image>';

/**
 * Idefics 3 and SmolVLM: an image in tiles, then the whole of it in one. Facts: llama.cpp's tools/mtmd
 * (models/siglip.cpp, mtmd-image.cpp) and the model card of SmolVLM-Instruct.
 */
export function openIdefics3(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given);
  const { imageSize } = shape;
  const merge = given.count('clip.vision.projector.scale_factor');
  const rows = rowsOfTile(shape.patchSize * merge);
  const longest = given.number('clip.vision.preproc_image_size', 0);
  return {
    kind: 'idefics3',
    rowWidth: given.shape('mm.model.fc.weight')[1] ?? 0,
    causal: true,
    mostRows: Math.floor(imageSize / shape.patchSize / merge) ** 2,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const { tiled, whole } = longest > 0 ? scaledToSide(image, longest, imageSize) : scaledUp(image, imageSize);
      const lines = tilesOf(tiled, imageSize).map((tiles, line): PicturePart[] => [
        ...(line > 0 ? [text('\n')] : []),
        ...tiles.flatMap((tile, column) => [text(`${around}<row_${line + 1}_col_${column + 1}>`), rows(tile)]),
      ]);
      return { parts: [...lines.flat(), text(`\n\n${around}<global-img>`), rows(whole), text(around)] };
    },
    encoder: (weights) =>
      encoderOf(weights, shape, {
        begin: (graph, tile) => graph.add(patchRows(graph, weights, shape, tile), weights.get(placesName)),
        project: (graph, hidden, tile) =>
          linear(graph, weights, 'mm.model.fc', shuffled(graph, hidden, gridOf(shape, tile), merge)),
      }),
  };
}

interface Tiled {
  readonly tiled: Pixels;
  readonly whole: Pixels;
}

/** First to the longest side with the proportions kept, then to whole tiles without. */
function scaledToSide(image: Pixels, longest: number, side: number): Tiled {
  const ratio = image.width / image.height;
  const even = (length: number) => Math.max(1, length) + (Math.max(1, length) % 2);
  const [width, height] =
    image.width >= image.height
      ? [longest, even(Math.trunc(longest / ratio))]
      : [even(Math.trunc(longest * ratio)), longest];
  const inTiles = (length: number) => Math.ceil(length / side) * side;
  const tiled = resize(resize(image, width, height, 'lanczos'), inTiles(width), inTiles(height), 'lanczos');
  return { tiled, whole: resize(tiled, side, side, 'lanczos') };
}

/** As files without a longest side are read. */
function scaledUp(image: Pixels, side: number): Tiled {
  const { width, height } = sizeWithin(image, { multiple: side });
  return { tiled: resizeInto(image, width, height, 'bicubic', black), whole: resize(image, side, side, 'bicubic') };
}
