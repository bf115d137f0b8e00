/**
 * What node-llama-cpp's bindings decode at best on this machine: `decodeBatch` and `sampleToken` in a loop, no server, no
 * text, no schedule. What llama-server decodes beyond this is not the server's to win.
 * `npm run measure:decode -- MODEL [THREADS] [ROUNDS] [DEPTH]`, DEPTH being the tokens that each stream has behind it.
 */
import { availableParallelism } from 'node:os';
import { decodeThread } from '../dist/engine/llama/decode-thread.js';
import { nativeBindings, nativeContext, nativeModel } from '../dist/engine/llama/native.js';
import { openLlama } from '../dist/engine/llama/open-llama.js';

const [path, threads = availableParallelism(), rounds = 5, depth = 0] = process.argv.slice(2);
const mostStreams = 8;
const stepsPerRound = 40;
const warmUp = 10;
/** Tokens of a prompt that are read at once. */
const piece = 256;

const llama = await openLlama({ gpu: 'off' });
const model = await llama.loadModel({ modelPath: path });
const { AddonSampler } = nativeBindings(llama);
// As while a server decodes: one pool thread does the native steps.
decodeThread().hold();
for (const flashAttention of [false, true]) {
  for (const streams of [1, 4, mostStreams]) {
    const context = await decodeThread().lend(() =>
      model.createContext({
        sequences: mostStreams,
        contextSize: Number(depth) + 1024,
        threads: Number(threads),
        flashAttention,
      }),
    );
    const rates = await measure(nativeContext(context), streams);
    await context.dispose();
    console.log(
      `${streams} streams, flash attention ${flashAttention ? 'on ' : 'off'}: ${median(rates).toFixed(1)} tokens/s`,
      `(${Math.min(...rates).toFixed(1)} to ${Math.max(...rates).toFixed(1)} in ${rates.length} rounds)`,
    );
  }
}
process.exit(0);

/** Tokens a second of each round, over all streams. */
async function measure(context, streams) {
  context.setThreads(Number(threads));
  const samplers = Array.from({ length: streams }, () => {
    const sampler = new AddonSampler(nativeModel(model));
    sampler.applyConfig({ temperature: 0 });
    return sampler;
  });
  let tokens = samplers.map((_, sequence) => 100 + sequence);
  let position = Number(depth);
  for (const sequence of samplers.keys())
    for (let at = 0; at < position; at += piece) {
      const length = Math.min(piece, position - at);
      context.initBatch(length);
      context.addToBatch(sequence, at, new Uint32Array(length).fill(100), Uint32Array.of(length - 1));
      await context.decodeBatch();
    }
  const step = async () => {
    context.initBatch(streams);
    const indexes = tokens.map(
      (token, sequence) => context.addToBatch(sequence, position, Uint32Array.of(token), Uint32Array.of(0))[0],
    );
    await context.decodeBatch();
    const sampled = [];
    for (const [sequence, index] of indexes.entries())
      sampled.push(await context.sampleToken(index, samplers[sequence]));
    tokens = sampled;
    position++;
  };
  for (let count = 0; count < warmUp; count++) await step();
  const rates = [];
  for (let round = 0; round < Number(rounds); round++) {
    const start = performance.now();
    for (let count = 0; count < stepsPerRound; count++) await step();
    rates.push((1000 * stepsPerRound * streams) / (performance.now() - start));
  }
  return rates;
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}
