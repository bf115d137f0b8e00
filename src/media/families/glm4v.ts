import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { linear, norm } from '../parts/layers.ts';
import { oncePer } from '../parts/once.ts';
import { placesName, scaledPlaces } from '../parts/places.ts';
import { prepareAnySize } from '../parts/prepare.ts';
import { turnBySquares } from '../parts/rope.ts';
import { visionTransformerOf } from '../parts/shape.ts';
import { gridOf, inSquares, mustHaveSquares, squarePatches, squarePlaces, squareSide } from '../parts/squares.ts';
import type { Pixels } from '../pixels.ts';
import { Hyperparameters } from '../projector-file.ts';

const rows = { least: 8, most: 4096 } as const;
const marks = { before: '<|begin_of_image|>', behind: '<|end_of_image|>' } as const;
const ropeBase = 10_000;
const projectorEpsilon = 1e-5;

/**
 * GLM-4.1V, GLM-4.5V and GLM-OCR: images of any size, places by rotation and, but for the last, learned too. Facts:
 * llama.cpp's tools/mtmd (models/glm4v.cpp) and the model card of GLM-4.1V-9B-Thinking.
 */
export function openGlm4V(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given, { normKind: 'rms' });
  mustHaveSquares(given);
  const turns = oncePer((tile: Pixels) => turnBySquares(squarePlaces(gridOf(shape, tile)), ropeBase));
  return {
    kind: 'glm4v',
    rowWidth: given.shape('mm.down.weight')[1] ?? 0,
    causal: true,
    mostRows: rows.most,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare: prepareAnySize({ patchSize: shape.patchSize, merge: squareSide, rows, marks }),
    encoder: (weights) =>
      encoderOf(weights, shape, {
        begin(graph, tile) {
          const grid = gridOf(shape, tile);
          const patches = graph.add(squarePatches(graph, weights, shape, tile), weights.get('v.patch_embd.bias'));
          const normed = shape.norm(graph, patches, weights, 'v.norm_embd');
          if (!weights.find(placesName)) return normed;
          return graph.add(normed, inSquares(graph, scaledPlaces(graph, weights, grid, 'bicubic'), grid));
        },
        attention: (_, tile) => ({ place: turns(tile) }),
        project(graph, hidden) {
          const count = hidden.shape[1] / squareSide ** 2;
          const squares = graph.reshape(hidden, [shape.width, squareSide, squareSide, count]);
          const images = graph.pack(graph.permute(squares, [2, 0, 1, 3]));
          const seen = graph.patches(weights.get('mm.patch_merger.weight'), images);
          const merged = graph.add(graph.reshape(seen, [seen.shape[2], count]), weights.get('mm.patch_merger.bias'));
          const how = { kind: 'layer', epsilon: projectorEpsilon } as const;
          const normed = norm(graph, linear(graph, weights, 'mm.model.fc', merged), weights, 'mm.post_norm', how);
          const rowsIn = graph.activate('gelu_erf', normed);
          const up = linear(graph, weights, 'mm.up', rowsIn);
          const inner = graph.gated(shape.activation, linear(graph, weights, 'mm.gate', rowsIn), up);
          return linear(graph, weights, 'mm.down', inner);
        },
      }),
  };
}
