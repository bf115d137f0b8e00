import type { ProjectorFile } from '../../contract/projector.ts';
import { averageLines, convolveLines } from '../../native/convolutions.ts';
import type { Graph, Tensor } from '../../native/graph.ts';
import type { Ear } from '../ear.ts';
import { linear, norm, twoLayers } from '../parts/layers.ts';
import { between, type Marks } from '../parts/marks.ts';
import { type Transformer, transformerOf } from '../parts/shape.ts';
import { transformerBlock } from '../parts/transformer.ts';
import { Hyperparameters } from '../projector-file.ts';
import {
  framesOf,
  mirrored,
  quietest,
  type Spectrogram,
  SpectrogramMaker,
  type SpectrogramRule,
  scaledByLoudest,
} from '../sound/spectrogram.ts';
import type { Weights } from '../weights.ts';

/** Whisper's own spectrogram, but for the number of bands. */
export function whisperRule(bands: number): SpectrogramRule {
  return {
    ...{ bands, size: 400, window: 400, hop: 160, rate: 16_000, scale: 'slaney' },
    ...{ of: 'power', logarithm: 'ten', floor: quietest },
  };
}

/** Seconds that the encoder hears at once; a sound is as many such pieces as it fills, and the rest of the last is silent. */
const secondsAtOnce = 30;
const framesAtOnce = 3000;
/** The second convolution takes every other frame. */
const placesAtOnce = framesAtOnce / 2;

/** What llama.cpp's projectors do behind Whisper's encoder. */
interface Family {
  readonly kind: string;
  readonly marks: Marks;
  /** Neighbouring rows are averaged in pairs. */
  readonly paired: boolean;
  /** Whether rows are put together, how many is in the file. */
  readonly stacked: boolean;
  /** The tensor whose outputs are the model's rows. */
  readonly last: string;
  project(graph: Graph, weights: Weights, rows: Tensor): Tensor;
}

const ultravoxEpsilon = 1e-6;

const ultravox: Family = {
  ...{ kind: 'ultravox', marks: {}, paired: false, stacked: true, last: 'mm.a.mlp.2.weight' },
  project(graph, weights, rows) {
    const how = { kind: 'rms', epsilon: ultravoxEpsilon } as const;
    const normed = norm(graph, rows, weights, 'mm.a.norm_pre', how);
    const gated = graph.gatedByHalf(graph.multiply(weights.get('mm.a.mlp.1.weight'), normed));
    return linear(graph, weights, 'mm.a.mlp.2', norm(graph, gated, weights, 'mm.a.norm_mid', how));
  },
};

const qwen2Audio: Family = {
  kind: 'qwen2a',
  marks: { before: '<|audio_bos|>', behind: '<|audio_eos|>' },
  ...{ paired: true, stacked: false, last: 'mm.a.fc.weight' },
  project: (graph, weights, rows) => linear(graph, weights, 'mm.a.fc', rows),
};

const voxtral: Family = {
  ...{ kind: 'voxtral', marks: { before: '[BEGIN_AUDIO]' }, paired: true, stacked: true, last: 'mm.a.mlp.2.weight' },
  project: (graph, weights, rows) => twoLayers(graph, weights, ['mm.a.mlp.1', 'mm.a.mlp.2'], rows, 'gelu_erf'),
};

export const openUltravox = (file: ProjectorFile) => openWhisper(file, ultravox);
/** Qwen2-Audio, and Qwen2.5-Omni's ear. */
export const openQwen2Audio = (file: ProjectorFile) => openWhisper(file, qwen2Audio);
export const openVoxtral = (file: ProjectorFile) => openWhisper(file, voxtral);

/**
 * Whisper's encoder with the projectors of Ultravox, Qwen2-Audio, Qwen2.5-Omni and Voxtral. Facts: llama.cpp's tools/mtmd
 * (models/whisper-enc.cpp, mtmd-audio.cpp). A sound of exactly 30 seconds is two pieces there, the second of them silent.
 */
function openWhisper(file: ProjectorFile, family: Family): Ear {
  const given = new Hyperparameters(file);
  const shape = transformerOf(given, 'a', { activation: 'gelu_erf' });
  const bands = given.count('clip.audio.num_mel_bins');
  const stack = family.stacked ? given.count('clip.audio.projector.stack_factor') : 1;
  checkShapes(given, shape, bands);
  const rule = whisperRule(bands);
  const spectrograms = new SpectrogramMaker(rule);
  const rows = Math.floor(placesAtOnce / (family.paired ? 2 : 1) / stack);
  return {
    kind: family.kind,
    rowWidth: given.shape(family.last)[1] ?? 0,
    rate: rule.rate,
    mostRows: rows,
    prepare(samples) {
      const pieces = whisperPieces(spectrograms, samples);
      return {
        parts: between(
          family.marks,
          pieces.map((tile) => ({ type: 'rows', rows, tile })),
        ),
      };
    },
    encoder: (weights) => ({
      blocks: shape.blocks,
      tapped: [],
      begin: (graph, piece) => frames(graph, weights, shape, piece),
      block: (graph, index, x) => transformerBlock(graph, weights, shape, index, x),
      end(graph, x) {
        const paired = family.paired ? graph.pack(graph.transpose(pairs(graph, x))) : x;
        const normed = shape.norm(graph, paired, weights, 'a.post_ln');
        return family.project(graph, weights, stacked(graph, normed, stack));
      },
    }),
  };
}

function checkShapes(given: Hyperparameters, { width }: Transformer, bands: number): void {
  const kernel = given.shape('a.conv1d.1.weight');
  if (kernel[1] !== bands || kernel[2] !== width) throw given.odd(`its first convolution is ${kernel.join(' x ')}`);
  const places = given.shape('a.position_embd.weight');
  if (places[0] !== width || (places[1] ?? 0) < placesAtOnce) throw given.odd(`its places are ${places.join(' x ')}`);
}

/** Half a minute of silence follows every sound, and what does not fill a piece then is left out. */
function whisperPieces(spectrograms: SpectrogramMaker, samples: Float32Array): Spectrogram[] {
  const { size, rate } = spectrograms.rule;
  const half = size / 2;
  const least = half + 1;
  const long = samples.length < least ? padded(samples, least) : samples;
  const whole = mirrored(long, half, 0);
  const spectrogram = scaledByLoudest(spectrograms.make(padded(whole, whole.length + secondsAtOnce * rate + half)));
  return Array.from({ length: Math.floor(spectrogram.frames / framesAtOnce) }, (_, at) =>
    framesOf(spectrogram, at * framesAtOnce, framesAtOnce),
  );
}

function padded(samples: Float32Array, length: number): Float32Array {
  const longer = new Float32Array(length);
  longer.set(samples);
  return longer;
}

/** Two convolutions over the frames, and what was learned for each place. */
function frames(graph: Graph, weights: Weights, shape: Transformer, { frames, bands, values }: Spectrogram): Tensor {
  const convolved = (lines: Tensor, name: string, stride: number) => {
    const made = convolveLines(graph, weights.get(`${name}.weight`), lines, stride);
    return graph.activate('gelu_erf', graph.add(made, weights.get(`${name}.bias`)));
  };
  const once = convolved(graph.input(values, [frames, bands]), 'a.conv1d.1', 1);
  const rows = graph.pack(graph.transpose(convolved(once, 'a.conv1d.2', 2)));
  const places = graph.part(weights.get('a.position_embd.weight'), 0, rows.shape[1]);
  return shape.norm(graph, graph.add(rows, places), weights, 'a.pre_ln');
}

function pairs(graph: Graph, rows: Tensor): Tensor {
  return averageLines(graph, graph.pack(graph.transpose(rows)), 2);
}

/** `count` rows as one longer row; rows that are left over at the end are left out. */
function stacked(graph: Graph, rows: Tensor, count: number): Tensor {
  if (count === 1) return rows;
  const [width, number] = rows.shape;
  const kept = Math.floor(number / count);
  return graph.reshape(graph.part(rows, 0, kept * count), [width * count, kept]);
}
