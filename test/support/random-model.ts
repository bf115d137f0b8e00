import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readEntries, type Tensor, writeGguf } from '../../scripts/bench/gguf.ts';
import { constant, randomWeights } from '../../scripts/bench/random-tensors.ts';
import { RandomBits } from '../../src/bench/random-bits.ts';
import { demoModelPath } from './demo-engine.ts';

/**
 * The demo model with its vocabulary and template, but with random weights: it says nothing sensible, so whatever order
 * there is in its answers comes from their grammar.
 */
export function writeRandomModel(seed = 1): { readonly path: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), 'random-model-'));
  const path = join(folder, 'random.gguf');
  const entries = [...readEntries(readFileSync(demoModelPath)).values()];
  writeGguf(path, entries, tensors(new RandomBits(seed)));
  return { path, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

const width = 192;
const layers = 6;
const feedForward = 512;
const vocabulary = 2048;

function tensors(bits: RandomBits): Tensor[] {
  const matrix = (name: string, inputs: number, outputs: number, gain = 1): Tensor => ({
    name: `${name}.weight`,
    shape: [inputs, outputs],
    type: 'Q8_0',
    data: () => randomWeights(bits, [inputs, outputs], 'Q8_0', gain / Math.sqrt(inputs)),
  });
  const norm = (name: string): Tensor => ({
    name: `${name}.weight`,
    shape: [width],
    type: 'F32',
    data: () => constant([width], 1),
  });
  const writeBack = 1 / Math.sqrt(2 * layers);
  const layer = (index: number) => {
    const at = `blk.${index}`;
    return [
      norm(`${at}.attn_norm`),
      matrix(`${at}.attn_q`, width, width),
      matrix(`${at}.attn_k`, width, width),
      matrix(`${at}.attn_v`, width, width),
      matrix(`${at}.attn_output`, width, width, writeBack),
      norm(`${at}.ffn_norm`),
      matrix(`${at}.ffn_gate`, width, feedForward),
      matrix(`${at}.ffn_up`, width, feedForward),
      matrix(`${at}.ffn_down`, feedForward, width, writeBack),
    ];
  };
  return [
    matrix('token_embd', width, vocabulary, 1),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    norm('output_norm'),
  ];
}
