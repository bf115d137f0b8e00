import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { twoLayers } from '../parts/layers.ts';
import { between } from '../parts/marks.ts';
import { scaledPlaces } from '../parts/places.ts';
import { shuffled } from '../parts/pooling.ts';
import { black } from '../parts/prepare.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { sizeWithin } from '../parts/size.ts';
import { gridOf } from '../parts/squares.ts';
import { rowsOfTile, text, tilesOf } from '../parts/tiles.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resize, resizeInto } from '../resize.ts';

const rowsOfPiece = { least: 64, most: 256 } as const;
const marks = { before: '<|image_start|>', behind: '<|image_end|>' } as const;
const tileSize = 512;
const tileCounts = { least: 2, most: 10 } as const;
/** How many times the most points of one piece an image has to have to be cut. */
const tolerance = 2;
const normEpsilon = 1e-5;

/**
 * LFM2-VL: small images in one piece of about their own size, others in tiles and then the whole of them. Facts:
 * llama.cpp's tools/mtmd (models/siglip.cpp, mtmd-image.cpp) and the model card of LFM2-VL-1.6B.
 */
export function openLfm2(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given);
  const merge = given.count('clip.vision.projector.scale_factor', 1);
  const multiple = shape.patchSize * merge;
  const rule = { multiple, least: rowsOfPiece.least * multiple ** 2, most: rowsOfPiece.most * multiple ** 2 };
  const rows = rowsOfTile(multiple);
  if (tileSize % multiple !== 0) throw given.odd(`tiles of ${tileSize} points are no whole rows of ${multiple}`);
  const isCut = ({ width, height }: Pixels) => {
    const nearest = (length: number) => Math.max(shape.patchSize, roundHalfToEven(length / multiple) * multiple);
    return nearest(width) * nearest(height) > rule.most * tolerance;
  };
  return {
    kind: 'lfm2',
    rowWidth: given.shape('mm.2.weight')[1] ?? 0,
    causal: true,
    mostRows: Math.max(rowsOfPiece.most, (tileSize / multiple) ** 2),
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const { width, height } = sizeWithin(image, rule);
      const whole = rows(resize(image, width, height, 'bilinear'));
      if (!isCut(image)) return { parts: between(marks, [whole]) };
      const grid = nearestGrid(image);
      const scaled = resizeInto(image, grid.columns * tileSize, grid.lines * tileSize, 'bilinear', black);
      const tiles = tilesOf(scaled, tileSize).map((line, y) =>
        line.flatMap((tile, x) => [text(`<|img_row_${y + 1}_col_${x + 1}|>`), rows(tile)]),
      );
      return { parts: between(marks, [...tiles.flat(), text('<|img_thumbnail|>'), whole]) };
    },
    encoder: (weights) =>
      encoderOf(weights, shape, {
        begin(graph, tile) {
          const places = scaledPlaces(graph, weights, gridOf(shape, tile), 'bilinear');
          return graph.add(patchRows(graph, weights, shape, tile), places);
        },
        project(graph, hidden, tile) {
          const squares = merge > 1 ? shuffled(graph, hidden, gridOf(shape, tile), merge) : hidden;
          const scale = weights.find('mm.input_norm.weight');
          const scaled = scale ? graph.times(graph.norm('layer', squares, normEpsilon), scale) : squares;
          const bias = weights.find('mm.input_norm.bias');
          return twoLayers(graph, weights, ['mm.1', 'mm.2'], bias ? graph.add(scaled, bias) : scaled);
        },
      }),
  };
}

interface TileGrid {
  readonly columns: number;
  readonly lines: number;
}

const tileGrids = Array.from(
  { length: tileCounts.most ** 2 },
  (_, at): TileGrid => ({
    columns: Math.floor(at / tileCounts.most) + 1,
    lines: (at % tileCounts.most) + 1,
  }),
)
  .filter(({ columns, lines }) => columns * lines >= tileCounts.least && columns * lines <= tileCounts.most)
  .sort((left, right) => left.columns * left.lines - right.columns * right.lines);

/** The grid whose proportions are nearest to the image's; of equal ones the larger, if the image has half its points. */
function nearestGrid({ width, height }: Pixels): TileGrid {
  const ratio = Math.fround(width / height);
  const points = Math.fround(width * height);
  let best: TileGrid = { columns: 1, lines: 1 };
  let least = Number.POSITIVE_INFINITY;
  for (const grid of tileGrids) {
    const distance = Math.abs(Math.fround(ratio - Math.fround(grid.columns / grid.lines)));
    const isLargeEnough = points > 0.5 * tileSize * tileSize * grid.columns * grid.lines;
    if (distance < least || (distance === least && isLargeEnough)) best = grid;
    least = Math.min(least, distance);
  }
  return best;
}

function roundHalfToEven(value: number): number {
  const below = Math.floor(value);
  if (value - below !== 0.5) return Math.round(value);
  return below % 2 === 0 ? below : below + 1;
}
