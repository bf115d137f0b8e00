import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { norm, twoLayers } from '../parts/layers.ts';
import { between } from '../parts/marks.ts';
import { placesName } from '../parts/places.ts';
import { shuffled } from '../parts/pooling.ts';
import { black } from '../parts/prepare.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { gridOf } from '../parts/squares.ts';
import { rowsOfTile, tilesOf } from '../parts/tiles.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resize, resizeInto } from '../resize.ts';

const marks = { before: '<img>', behind: '</img>' } as const;
/** The one large encoder of the family, of 6 billion weights, has other norms. */
const large = { width: 3200, blocks: 45 } as const;
const projectorEpsilon = 1e-5;

/**
 * InternVL 2.5, 3 and 3.5: an image in tiles of the grid that wastes least, then the whole of it in one. Facts: llama.cpp's
 * tools/mtmd (models/internvl.cpp, mtmd-image.cpp) and the model card of InternVL3-8B-Instruct.
 */
export function openInternVl(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const plain = visionTransformerOf(given);
  const isLarge = plain.width === large.width && plain.blocks === large.blocks;
  const shape = isLarge ? visionTransformerOf(given, { normKind: 'rms' }) : plain;
  const { imageSize } = shape;
  const merge = given.count('clip.vision.projector.scale_factor');
  const grids = gridsOf(
    given.count('clip.vision.preproc_min_tiles', 1),
    given.count('clip.vision.preproc_max_tiles', 12),
    imageSize,
  );
  const rows = rowsOfTile(shape.patchSize * merge);
  return {
    kind: 'internvl',
    rowWidth: given.shape('mm.model.mlp.3.weight')[1] ?? 0,
    causal: true,
    mostRows: Math.floor(imageSize / shape.patchSize / merge) ** 2,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const whole = resize(image, imageSize, imageSize, 'bicubic');
      if (image.width <= imageSize && image.height <= imageSize) return { parts: between(marks, [rows(whole)]) };
      const { width, height } = leastWaste(image, grids);
      const tiles = tilesOf(resizeInto(image, width, height, 'bicubic', black), imageSize).flat();
      return { parts: between(marks, [...tiles, whole].map(rows)) };
    },
    encoder: (weights) =>
      encoderOf(weights, shape, {
        begin(graph, tile) {
          const patches = patchRows(graph, weights, shape, tile);
          const classRow = graph.reshape(weights.get('v.class_embd'), [shape.width, 1]);
          // The class stands behind the patches here, and before them in the table of places.
          return graph.add(graph.concat(patches, classRow, 1), weights.get(placesName));
        },
        project(graph, hidden, tile) {
          const grid = gridOf(shape, tile);
          const patches = graph.part(hidden, 0, grid.columns * grid.lines);
          const normed = norm(graph, shuffled(graph, patches, grid, merge), weights, 'mm.model.mlp.0', {
            kind: 'layer',
            epsilon: projectorEpsilon,
          });
          return twoLayers(graph, weights, ['mm.model.mlp.1', 'mm.model.mlp.3'], normed);
        },
      }),
  };
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** All sizes of `least` to `most` tiles. */
function gridsOf(least: number, most: number, side: number): Size[] {
  const grids: Size[] = [];
  for (let columns = least; columns <= most; columns++) {
    const first = Math.max(Math.ceil(least / columns), least);
    const last = Math.min(Math.floor(most / columns), most);
    for (let lines = first; lines <= last; lines++) grids.push({ width: columns * side, height: lines * side });
  }
  return grids;
}

/** The size that keeps most of the image's points; of several the one with the least ground around it. */
function leastWaste(image: Pixels, sizes: readonly Size[]): Size {
  let best: Size | undefined;
  let [mostKept, leastGround] = [0, Number.POSITIVE_INFINITY];
  for (const size of sizes) {
    const scale = Math.min(Math.fround(size.width / image.width), Math.fround(size.height / image.height));
    const scaled = (length: number) => Math.trunc(Math.fround(length * scale));
    const kept = Math.min(scaled(image.width) * scaled(image.height), image.width * image.height);
    const ground = size.width * size.height - kept;
    if (kept > mostKept || (kept === mostKept && ground < leastGround))
      [best, mostKept, leastGround] = [size, kept, ground];
  }
  return best ?? sizes[0] ?? image;
}
