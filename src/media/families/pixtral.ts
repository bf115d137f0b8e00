import type { ProjectorFile } from '../../contract/projector.ts';
import type { Graph, Tensor } from '../../native/graph.ts';
import type { Eye, PicturePart } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { linear, norm, twoLayers } from '../parts/layers.ts';
import { between } from '../parts/marks.ts';
import { oncePer } from '../parts/once.ts';
import { black } from '../parts/prepare.ts';
import { turnByHalves } from '../parts/rope.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { sizeWithin } from '../parts/size.ts';
import { type Grid, gridOf } from '../parts/squares.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resizeInto } from '../resize.ts';

const rows = { least: 8, most: 1024 } as const;
const marks = { behind: '[IMG_END]' } as const;
const ropeBase = 10_000;

/**
 * Pixtral, Mistral Small 3.1 and newer, Ministral: images of any size, places by rotation, a row of its own behind each
 * line but the last. Facts: llama.cpp's tools/mtmd (models/pixtral.cpp) and the model cards of pixtral-12b and
 * Mistral-Small-3.1-24B.
 */
export function openPixtral(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given, { normKind: 'rms' });
  const merge = given.count('clip.vision.spatial_merge_size', 1);
  const multiple = shape.patchSize * merge;
  const rule = { multiple, least: rows.least * multiple ** 2, most: rows.most * multiple ** 2 };
  const turns = oncePer((tile: Pixels) => {
    const { columns, lines } = gridOf(shape, tile);
    const places = Array.from({ length: columns * lines }, (_, at) => ({
      line: Math.floor(at / columns),
      column: at % columns,
    }));
    return turnByHalves(places, ropeBase);
  });
  return {
    kind: 'pixtral',
    rowWidth: given.shape('mm.2.weight')[1] ?? 0,
    causal: true,
    // With those behind the lines.
    mostRows: rows.most * 2,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const { width, height } = sizeWithin(image, rule);
      const [columns, lines] = [width / multiple, height / multiple];
      const tile = resizeInto(image, width, height, 'bicubic', black);
      const part: PicturePart = { type: 'rows', tile, columns: columns * lines + lines - 1, lines: 1 };
      return { parts: between(marks, [part]) };
    },
    encoder(weights) {
      const mergedPatches = (graph: Graph, hidden: Tensor, { columns, lines }: Grid) => {
        if (!weights.find('mm.patch_merger.weight')) return hidden;
        const how = { kind: 'rms', epsilon: shape.epsilon } as const;
        const normed = norm(graph, hidden, weights, 'mm.input_norm', how);
        const image = graph.permute(graph.reshape(normed, [shape.width, columns, lines]), [2, 0, 1, 3]);
        const squares = graph.squares(graph.pack(image), merge);
        const [width, across, down] = squares.shape;
        return linear(graph, weights, 'mm.patch_merger', graph.reshape(squares, [width, across * down]));
      };
      return encoderOf(weights, shape, {
        begin: (graph, tile) => patchRows(graph, weights, shape, tile),
        attention: (_, tile) => ({ place: turns(tile) }),
        project(graph, hidden, tile) {
          const { columns, lines } = gridOf(shape, tile);
          const merged = mergedPatches(graph, hidden, { columns, lines });
          const projected = twoLayers(graph, weights, ['mm.1', 'mm.2'], merged);
          const breakRow = weights.get('v.token_embd.img_break');
          return withBreaks(graph, projected, { columns: columns / merge, lines: lines / merge }, breakRow);
        },
      });
    },
  };
}

/** A row behind each line but the last. */
function withBreaks(graph: Graph, rows: Tensor, { columns, lines }: Grid, breakRow: Tensor): Tensor {
  if (lines === 1) return rows;
  const [width] = rows.shape;
  const empty = graph.input(new Float32Array(width * lines), [width, 1, lines]);
  const breaks = graph.add(empty, graph.reshape(breakRow, [width, 1, 1]));
  const all = graph.concat(graph.reshape(rows, [width, columns, lines]), breaks, 1);
  return graph.part(graph.reshape(all, [width, (columns + 1) * lines]), 0, columns * lines + lines - 1);
}
