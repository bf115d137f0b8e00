import type { ProjectorFile } from '../../contract/projector.ts';
import type { Eye } from '../eye.ts';
import { linear } from '../parts/layers.ts';
import { patchRows, visionTransformerOf } from '../parts/shape.ts';
import { transformerBlock } from '../parts/transformer.ts';
import { Hyperparameters } from '../projector-file.ts';
import { resizeInto } from '../resize.ts';

/** The ground of images that are not square: the mean colour of CLIP's training images. */
const ground = [122, 116, 104] as const;

/**
 * LLaVA 1.5 (`mlp`): CLIP's vision transformer without its last block, and two layers. An image is scaled into one square.
 * Facts: llama.cpp's tools/mtmd (models/llava.cpp) and the model card of llava-1.5.
 */
export function openLlava(file: ProjectorFile): Eye {
  const given = new Hyperparameters(file);
  const shape = visionTransformerOf(given);
  const side = Math.floor(shape.imageSize / shape.patchSize);
  if (given.numbers('clip.vision.image_grid_pinpoints').length > 0) {
    throw given.odd('it cuts images into tiles (LLaVA 1.6), which is not known here');
  }
  const features = given.numbers('clip.vision.feature_layer');
  if (features.length > 1) throw given.odd('it takes what several blocks give, which is not known here');
  const blocks = features[0] ?? shape.blocks - 1;
  if (blocks > shape.blocks || blocks < 1) throw given.odd(`it takes what block ${blocks} of ${shape.blocks} gives`);
  const rows = side * side;
  return {
    kind: 'mlp',
    rowWidth: given.shape(given.has('mm.2.weight') ? 'mm.2.weight' : 'mm.0.weight')[1] ?? 0,
    causal: true,
    mostRows: rows,
    mean: shape.mean,
    deviation: shape.deviation,
    prepare(image) {
      const tile = resizeInto(image, shape.imageSize, shape.imageSize, 'bicubic', ground);
      return { parts: [{ type: 'rows', tile, columns: side, lines: side }] };
    },
    encoder(weights) {
      const classRow = weights.find('v.class_embd');
      return {
        blocks,
        tapped: [],
        begin(graph, tile) {
          const patches = patchRows(graph, weights, shape, tile);
          const all = classRow ? graph.concat(patches, graph.reshape(classRow, [shape.width, 1]), 1) : patches;
          // The class stands behind the patches here, and before them in the table of positions.
          const places = Int32Array.from({ length: all.shape[1] }, (_, at) => at);
          const positions = graph.rows(weights.get('v.position_embd.weight'), graph.input(places, [places.length]));
          const placed = graph.add(all, positions);
          return shape.norm(graph, placed, weights, 'v.pre_ln');
        },
        block: (graph, index, x) => transformerBlock(graph, weights, shape, index, x),
        end(graph, x) {
          const normed = shape.norm(graph, x, weights, 'v.post_ln');
          const kept = graph.input(
            Int32Array.from({ length: rows }, (_, at) => at + (classRow ? 1 : 0)),
            [rows],
          );
          const hidden = graph.activate('gelu', linear(graph, weights, 'mm.0', graph.rows(normed, kept)));
          return weights.find('mm.2.weight') ? linear(graph, weights, 'mm.2', hidden) : hidden;
        },
      };
    },
  };
}
