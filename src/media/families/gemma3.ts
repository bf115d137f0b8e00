import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye } from '../eye.ts';
import { encoderOf } from '../parts/encoder.ts';
import { between } from '../parts/marks.ts';
import { placesName } from '../parts/places.ts';
import { averaged } from '../parts/pooling.ts';
import { black } from '../parts/prepare.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { gridOf } from '../parts/squares.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resizeInto } from '../resize.ts';

const marks = { before: '<start_of_image>', behind: '<end_of_image>' } as const;
/** Patches a side that become one row. */
const usualPool = 4;

/**
 * Gemma 3: a SigLIP encoder on one square, 4 x 4 patches to a row; the rows of an image see each other. Facts: llama.cpp's
 * tools/mtmd (models/siglip.cpp) and the model card of gemma-3-4b-it.
 */
export function openGemma3(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given);
  const pool = given.count('clip.vision.projector.scale_factor', usualPool);
  const side = Math.floor(Math.floor(shape.imageSize / shape.patchSize) / pool);
  return {
    kind: 'gemma3',
    rowWidth: given.shape('mm.input_projection.weight')[0] ?? 0,
    causal: false,
    mostRows: side * side,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const tile = resizeInto(image, shape.imageSize, shape.imageSize, 'bilinear', black);
      return { parts: between(marks, [{ type: 'rows', tile, columns: side, lines: side }]) };
    },
    encoder: (weights) =>
      encoderOf(weights, shape, {
        begin: (graph, tile) => graph.add(patchRows(graph, weights, shape, tile), weights.get(placesName)),
        project(graph, rows, tile) {
          const pooled = graph.norm('rms', averaged(graph, rows, gridOf(shape, tile), pool), shape.epsilon);
          const scaled = graph.times(pooled, weights.get('mm.soft_emb_norm.weight'));
          // It lies the other way round in the file.
          const projection = graph.pack(graph.transpose(weights.get('mm.input_projection.weight')));
          return graph.multiply(projection, scaled);
        },
      }),
  };
}
