import type { ProjectorFile } from '../../contract/projector.ts';
import { convolve } from '../../native/convolutions.ts';
import type { Graph, Tensor } from '../../native/graph.ts';
import type { Ear, HearingPart } from '../ear.ts';
import { encoderOf } from '../parts/encoder.ts';
import { linear, twoLayers } from '../parts/layers.ts';
import { between } from '../parts/marks.ts';
import { transformerOf } from '../parts/shape.ts';
import { Hyperparameters } from '../projector-file.ts';
import { framesOf, mirrored, type Spectrogram, SpectrogramMaker, scaledByLoudest } from '../sound/spectrogram.ts';
import type { Weights } from '../weights.ts';
import { whisperRule } from './whisper.ts';

const marks = { before: '<|audio_start|>', behind: '<|audio_end|>' } as const;
/** What sees each other: eight seconds. */
const framesAtOnce = 800;
/** What is convolved by itself, with zeros around it, and has places of its own: one second. */
const chunk = 100;
const convolutions = [1, 2, 3] as const;
/** Each convolution takes every other frame. */
const rowsOfChunk = 13;

/**
 * Qwen3-ASR, and Qwen3-Omni's ear: seconds in three convolutions, and a transformer over eight of them. Facts: llama.cpp's
 * tools/mtmd (models/qwen3a.cpp, mtmd-audio.cpp).
 */
export function openQwen3Audio(file: ProjectorFile): Ear {
  const given = new Hyperparameters(file);
  const shape = transformerOf(given, 'a', { activation: 'gelu_erf' });
  const bands = given.count('clip.audio.num_mel_bins');
  const places = given.shape('a.position_embd.weight');
  if (places[0] !== shape.width || (places[1] ?? 0) < rowsOfChunk)
    throw given.odd(`its places are ${places.join(' x ')}`);
  const rule = whisperRule(bands);
  const spectrograms = new SpectrogramMaker(rule);
  return {
    kind: 'qwen3a',
    rowWidth: given.shape('mm.a.mlp.2.weight')[1] ?? 0,
    rate: rule.rate,
    mostRows: rowsIn(framesAtOnce),
    prepare(samples) {
      const half = rule.size / 2;
      const whole = scaledByLoudest(spectrograms.make(mirrored(samples, half, half)));
      const pieces = Array.from({ length: Math.ceil(whole.frames / framesAtOnce) }, (_, at): HearingPart => {
        const from = at * framesAtOnce;
        const heard = Math.min(framesAtOnce, whole.frames - from);
        const tile = framesOf(whole, from, Math.ceil(heard / chunk) * chunk);
        return { type: 'rows', rows: rowsIn(tile.frames), tile };
      });
      return { parts: between(marks, pieces) };
    },
    encoder: (weights) =>
      encoderOf<Spectrogram>(weights, shape, {
        begin: (graph, piece) => seconds(graph, weights, piece),
        project: (graph, rows) => twoLayers(graph, weights, ['mm.a.mlp.1', 'mm.a.mlp.2'], rows, 'gelu_erf'),
      }),
  };
}

function rowsIn(frames: number): number {
  return (frames / chunk) * rowsOfChunk;
}

/** Rows of each second, with their places in it. */
function seconds(graph: Graph, weights: Weights, { frames, bands, values }: Spectrogram): Tensor {
  const count = frames / chunk;
  const all = graph.input(values, [frames, bands]);
  let pictures = graph.pack(graph.view(all, [chunk, bands, 1, count], [frames, chunk, chunk]));
  for (const number of convolutions) {
    const name = `a.conv2d.${number}`;
    const convolved = convolve(graph, weights.get(`${name}.weight`), pictures, { stride: 2, padding: 1 });
    const bias = weights.find(`${name}.bias`);
    pictures = graph.activate('gelu_erf', bias ? graph.add(convolved, bias) : convolved);
  }
  const [across, down, channels] = pictures.shape;
  const lines = graph.pack(graph.permute(pictures, [2, 0, 1, 3]), [down * channels, across * count]);
  const rows = linear(graph, weights, 'a.conv_out', lines);
  return graph.add(rows, graph.part(weights.get('a.position_embd.weight'), 0, rowsOfChunk));
}
