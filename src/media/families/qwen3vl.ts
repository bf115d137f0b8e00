import type { ProjectorFile } from '../../contract/projector.ts';
import type { Graph, Tensor } from '../../native/graph.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { norm, twoLayers } from '../parts/layers.ts';
import { oncePer } from '../parts/once.ts';
import { scaledPlaces } from '../parts/places.ts';
import { prepareAnySize } from '../parts/prepare.ts';
import { turnBySquares } from '../parts/rope.ts';
import { visionTransformerOf } from '../parts/shape.ts';
import { gridOf, inSquares, mustHaveSquares, squarePatches, squarePlaces, squareSide } from '../parts/squares.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';
import { qwenMarks, qwenRows } from './qwen2vl.ts';

const ropeBase = 10_000;

/**
 * Qwen3-VL: as Qwen2-VL, with places learned too; what some blocks give goes into the model's first layers, so a row has
 * several times the model's width. Facts: llama.cpp's tools/mtmd (models/qwen3vl.cpp) and the model card of
 * Qwen3-VL-8B-Instruct.
 */
export function openQwen3Vl(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given);
  mustHaveSquares(given);
  const deep = Array.from({ length: shape.blocks }, (_, index) => index).filter((index) =>
    given.has(`v.deepstack.${index}.fc1.weight`),
  );
  const places = oncePer((tile: Pixels) => turnBySquares(squarePlaces(gridOf(shape, tile)), ropeBase));
  return {
    kind: 'qwen3vl_merger',
    rowWidth: (given.shape('mm.2.bias')[0] ?? 0) * (1 + deep.length),
    causal: true,
    mostRows: qwenRows.most,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare: prepareAnySize({ patchSize: shape.patchSize, merge: squareSide, rows: qwenRows, marks: qwenMarks }),
    encoder(weights) {
      const squaresOf = (graph: Graph, rows: Tensor) =>
        graph.reshape(rows, [shape.width * squareSide ** 2, rows.shape[1] / squareSide ** 2]);
      const forLayer = (graph: Graph, rows: Tensor, index: number) => {
        const name = `v.deepstack.${index}`;
        const how = { kind: shape.normKind, epsilon: shape.epsilon };
        const normed = norm(graph, squaresOf(graph, rows), weights, `${name}.norm`, how);
        return twoLayers(graph, weights, [`${name}.fc1`, `${name}.fc2`], normed);
      };
      return encoderOf(weights, shape, {
        tapped: deep,
        begin(graph, tile) {
          const grid = gridOf(shape, tile);
          const patches = graph.add(squarePatches(graph, weights, shape, tile), weights.get('v.patch_embd.bias'));
          return graph.add(patches, inSquares(graph, scaledPlaces(graph, weights, grid, 'aligned'), grid));
        },
        attention: (_, tile) => ({ place: places(tile) }),
        project(graph, rows, _, taps) {
          const own = twoLayers(graph, weights, ['mm.0', 'mm.2'], squaresOf(graph, rows));
          return deep.reduce((all, index, at) => {
            const tap = taps[at];
            if (!tap) throw new Error(`Block ${index} was not kept.`);
            return graph.concat(all, forLayer(graph, tap, index), 0);
          }, own);
        },
      });
    },
  };
}
