/**
 * What llama.cpp's C API decodes at best on this machine: the loop of `serve-model bench`, with flash attention and
 * without.
 * `npm run measure:decode -- MODEL [THREADS] [ROUNDS] [DEPTH] [STREAMS]`, DEPTH being the tokens that each stream has
 * behind it, STREAMS a list such as 1,4,8.
 */
import { availableParallelism } from 'node:os';
import { median } from '../dist/bench/report.js';
import { bareRounds } from '../dist/engine/loop/bare-rates.js';
import { findLibrary } from '../dist/native/find-library.js';
import { Model } from '../dist/native/model.js';
import { openLibrary } from '../dist/native/open-library.js';
import { ThreadPools } from '../dist/native/thread-pools.js';

const [path, threads = availableParallelism(), rounds = 5, depth = 1, streamCounts = '1,4,8'] = process.argv.slice(2);
const tokens = 40;
const sampling = {
  ...{ temperature: 0.8, topK: 40, topP: 0.95, minP: 0.05, seed: 1 },
  ...{ repeatPenalty: 1, frequencyPenalty: 0, presencePenalty: 0 },
};

const library = openLibrary(findLibrary(false));
const model = Model.load(library, path, { gpuLayers: 0 });
const loop = {
  ...{ library, model, sampling, pools: new ThreadPools(library), threads: Number(threads), batchSize: 512 },
  clock: () => performance.now(),
};
for (const flashAttention of [false, true]) {
  for (const streams of streamCounts.split(',').map(Number)) {
    const length = { streams, depth: Number(depth), tokens, rounds: Number(rounds) };
    const rates = Array.from(
      bareRounds({ ...loop, flashAttention }, length),
      ({ decodeMs }) => (1000 * tokens * streams) / decodeMs,
    );
    console.log(
      `${streams} streams, flash attention ${flashAttention ? 'on ' : 'off'}: ${median(rates).toFixed(1)} tokens/s`,
      `(${Math.min(...rates).toFixed(1)} to ${Math.max(...rates).toFixed(1)} in ${rates.length} rounds)`,
    );
  }
}
process.exit(0);
