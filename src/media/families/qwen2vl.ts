import type { ProjectorFile } from '../../contract/projector.ts';
import type { Graph, Tensor } from '../../native/graph.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { twoLayers } from '../parts/layers.ts';
import { oncePer } from '../parts/once.ts';
import { prepareAnySize } from '../parts/prepare.ts';
import { turnBySquares } from '../parts/rope.ts';
import { visionTransformerOf } from '../parts/shape.ts';
import { gridOf, mustHaveSquares, squarePatches, squarePlaces, squareSide } from '../parts/squares.ts';
import { type WindowOrder, windowOrder } from '../parts/windows.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';

/** Rows of an image, as in the models' own processors. */
export const qwenRows = { least: 8, most: 4096 } as const;
export const qwenMarks = { before: '<|vision_start|>', behind: '<|vision_end|>' } as const;
const ropeBase = 10_000;
/** Points a side of what a patch sees in the blocks with windows. */
const windowSize = 112;

/**
 * Qwen2-VL: images of any size, places by rotation, four patches to a row. Facts: llama.cpp's tools/mtmd
 * (models/qwen2vl.cpp) and the model card of Qwen2-VL-7B-Instruct.
 */
export function openQwen2Vl(file: ProjectorFile): Eye {
  return openQwen(file, 'qwen2vl_merger');
}

/** Qwen2.5-VL: the same with other norms, and with windows in most blocks. */
export function openQwen25Vl(file: ProjectorFile): Eye {
  return openQwen(file, 'qwen2.5vl_merger');
}

function openQwen(file: ProjectorFile, kind: 'qwen2vl_merger' | 'qwen2.5vl_merger'): Eye {
  const given = new Hyperparameters(file);
  const isNewer = kind === 'qwen2.5vl_merger';
  const shape = visionTransformerOf(given, { normKind: isNewer ? 'rms' : 'layer' });
  mustHaveSquares(given);
  const windowsBut = isNewer ? given.number('clip.vision.n_wa_pattern') : 0;
  const side = Math.floor(windowSize / shape.patchSize / squareSide);
  if (windowsBut > 0 && side < 1)
    throw given.odd(`its patches of ${shape.patchSize} points are larger than its windows`);
  const ordered = oncePer((tile: Pixels): WindowOrder | undefined =>
    windowsBut > 0 ? windowOrder(gridOf(shape, tile), side) : undefined,
  );
  const places = oncePer((tile: Pixels) =>
    turnBySquares(squarePlaces(gridOf(shape, tile), ordered(tile)?.order), ropeBase),
  );
  return {
    kind,
    rowWidth: given.shape('mm.2.bias')[0] ?? 0,
    causal: true,
    mostRows: qwenRows.most,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare: prepareAnySize({ patchSize: shape.patchSize, merge: squareSide, rows: qwenRows, marks: qwenMarks }),
    encoder(weights) {
      const rowsIn = (graph: Graph, rows: Tensor, order: Int32Array | undefined, width: number) => {
        if (!order) return rows;
        const squares = graph.reshape(rows, [width, order.length]);
        return graph.rows(squares, graph.input(order, [order.length]));
      };
      return encoderOf(weights, shape, {
        begin(graph, tile) {
          const patches = squarePatches(graph, weights, shape, tile);
          const inOrder = rowsIn(graph, patches, ordered(tile)?.order, shape.width * squareSide ** 2);
          return graph.reshape(inOrder, patches.shape);
        },
        attention(index, tile) {
          const order = ordered(tile);
          const seesAll = !order || (index + 1) % windowsBut === 0;
          return { place: places(tile), windows: seesAll ? undefined : order.windows };
        },
        project(graph, rows, tile) {
          const squares = graph.reshape(rows, [shape.width * squareSide ** 2, rows.shape[1] / squareSide ** 2]);
          const projected = twoLayers(graph, weights, ['mm.0', 'mm.2'], squares);
          return rowsIn(graph, projected, ordered(tile)?.back, projected.shape[0]);
        },
      });
    },
  };
}
