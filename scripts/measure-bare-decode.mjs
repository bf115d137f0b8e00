/**
 * What llama.cpp's C API decodes at best on this machine: batch, decode and llama.cpp's own sampler chain in a loop with
 * persistent threads, no server, no text, no schedule.
 * `npm run measure:decode -- MODEL [THREADS] [ROUNDS] [DEPTH] [STREAMS]`, DEPTH being the tokens that each stream has
 * behind it, STREAMS a list such as 1,4,8.
 */
import { availableParallelism } from 'node:os';
import { chainSettings } from '../dist/engine/loop/chain-settings.js';
import { Batch } from '../dist/native/batch.js';
import { Context } from '../dist/native/context.js';
import { findLibrary } from '../dist/native/find-library.js';
import { Model } from '../dist/native/model.js';
import { openLibrary } from '../dist/native/open-library.js';
import { SamplerChain } from '../dist/native/sampler.js';
import { ThreadPools } from '../dist/native/thread-pools.js';

const [path, threads = availableParallelism(), rounds = 5, depth = 0, streamCounts = '1,4,8'] = process.argv.slice(2);
const mostStreams = 8;
const stepsPerRound = 40;
const warmUp = 10;
/** Tokens of a prompt that are read at once. */
const piece = 256;
const sampling = {
  ...{ temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, seed: 1 },
  ...{ repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0 },
};

const library = openLibrary(findLibrary(false));
const model = Model.load(library, path, { gpuLayers: 0 });
const pools = new ThreadPools(library);
for (const flashAttention of [false, true]) {
  for (const streams of streamCounts.split(',').map(Number)) {
    const context = Context.create(model, {
      contextSize: Number(depth) + 1024,
      sequences: mostStreams,
      batchSize: 512,
      outputs: mostStreams,
      threads: Number(threads),
      flashAttention,
    });
    const rates = measure(context, streams);
    context.free();
    console.log(
      `${streams} streams, flash attention ${flashAttention ? 'on ' : 'off'}: ${median(rates).toFixed(1)} tokens/s`,
      `(${Math.min(...rates).toFixed(1)} to ${Math.max(...rates).toFixed(1)} in ${rates.length} rounds)`,
    );
  }
}
process.exit(0);

/** Tokens a second of each round, over all streams. */
function measure(context, streams) {
  context.useThreads(pools, Number(threads), Number(threads));
  const batch = new Batch(library, 512);
  const rules = { contextSize: context.contextSize, forbidden: [] };
  const { settings } = chainSettings(sampling, rules);
  const chains = Array.from({ length: streams }, () => new SamplerChain(library, model.vocabulary, settings));
  let tokens = chains.map((_, sequence) => 100 + sequence);
  let position = Number(depth);
  for (const sequence of chains.keys())
    for (let at = 0; at < position; at += piece) {
      batch.clear();
      for (let index = at; index < Math.min(at + piece, position); index++) batch.add(100, index, sequence, false);
      context.decode(batch);
    }
  const step = () => {
    batch.clear();
    for (const [sequence, token] of tokens.entries()) batch.add(token, position, sequence, true);
    context.decode(batch);
    tokens = chains.map((chain, sequence) => chain.sample(context, sequence));
    position++;
  };
  for (let count = 0; count < warmUp; count++) step();
  const rates = [];
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    for (let count = 0; count < stepsPerRound; count++) step();
    rates.push((1000 * stepsPerRound * streams) / (performance.now() - start));
  }
  for (const chain of chains) chain.free();
  batch.free();
  return rates;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
