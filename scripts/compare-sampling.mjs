/**
 * Whether a seed and settings draw here what they draw in llama.cpp's server: random settings, 32 tokens each, on the
 * bundled model with one slot and one thread on both sides.
 * `npm run compare:sampling -- PATH/TO/llama-server [COUNT]`
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const [peer, count = '200'] = process.argv.slice(2);
if (!peer) {
  console.error('Usage: npm run compare:sampling -- PATH/TO/llama-server [COUNT]');
  process.exit(1);
}
const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));
const model = path('models/serve-model-demo.gguf');
const prompt = '<|im_start|>user\nTell me a story about a fox and a lazy dog.<|im_end|>\n<|im_start|>assistant\n';
const [ownPort, peerPort] = [18_471, 18_472];
const startMs = 60_000;

const random = generator(20_26);
const own = start(process.execPath, [
  ...[path('dist/cli/serve-model.js'), model, '--port', `${ownPort}`, '--log-level', 'silent'],
  ...['--parallel', '1', '--threads', '1', '--no-flash-attn', '--ctx-size', '2048'],
]);
const theirs = start(peer, [
  ...['-m', model, '--port', `${peerPort}`, '-np', '1', '-t', '1', '-tb', '1', '-fa', 'off', '-c', '2048'],
]);
try {
  await Promise.all([ready(ownPort), ready(peerPort)]);
  let same = 0;
  const different = [];
  for (let index = 0; index < Number(count); index++) {
    const settings = randomSettings();
    const [here, there] = await Promise.all([ask(ownPort, settings), ask(peerPort, settings)]);
    if (here === there) same++;
    else different.push({ settings, here, there });
  }
  for (const each of different.slice(0, 10)) console.log(JSON.stringify(each));
  console.log(`${same} of ${count} settings draw the same text`);
  process.exitCode = different.length === 0 ? 0 : 1;
} finally {
  own.kill();
  theirs.kill();
}

function randomSettings() {
  const maybe = (value) => (random() < 0.4 ? value : undefined);
  const between = (low, high) => Number((low + random() * (high - low)).toFixed(3));
  const samplers = ['penalties', 'dry', 'top_n_sigma', 'top_k', 'typ_p', 'top_p', 'min_p', 'xtc', 'temperature'];
  return {
    seed: Math.floor(random() * 1e9),
    temperature: between(0, 2),
    top_k: maybe(Math.floor(random() * 100)),
    top_p: maybe(between(0.1, 1)),
    min_p: maybe(between(0, 0.5)),
    typical_p: maybe(between(0.2, 1)),
    top_n_sigma: maybe(between(0.5, 3)),
    dynatemp_range: maybe(between(0, 1)),
    dynatemp_exponent: maybe(between(0.5, 2)),
    mirostat: random() < 0.2 ? 1 + Math.floor(random() * 2) : undefined,
    mirostat_tau: maybe(between(1, 8)),
    mirostat_eta: maybe(between(0.01, 0.5)),
    xtc_probability: maybe(between(0, 1)),
    xtc_threshold: maybe(between(0.01, 0.5)),
    dry_multiplier: maybe(between(0.1, 2)),
    dry_base: maybe(between(1, 2)),
    dry_allowed_length: maybe(1 + Math.floor(random() * 4)),
    dry_penalty_last_n: maybe([0, 16, 64][Math.floor(random() * 3)]),
    repeat_last_n: maybe([0, 8, 64][Math.floor(random() * 3)]),
    repeat_penalty: maybe(between(0.8, 1.6)),
    frequency_penalty: maybe(between(-1, 1)),
    presence_penalty: maybe(between(-1, 1)),
    min_keep: maybe(Math.floor(random() * 5)),
    adaptive_target: maybe(between(0, 1)),
    adaptive_decay: maybe(between(0, 0.99)),
    logit_bias: maybe([[100 + Math.floor(random() * 500), between(-5, 5)]]),
    samplers: maybe([...samplers.filter(() => random() < 0.7), ...(random() < 0.3 ? ['adaptive_p'] : [])]),
    grammar: random() < 0.15 ? 'root ::= [a-zA-Z ,.]+' : undefined,
    ignore_eos: random() < 0.2,
  };
}

async function ask(port, settings) {
  const response = await fetch(`http://127.0.0.1:${port}/completion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ prompt, n_predict: 32, cache_prompt: false, ...settings }),
  });
  const body = await response.json();
  return body.content ?? JSON.stringify(body);
}

function start(command, args) {
  return spawn(command, args, { stdio: ['ignore', 'ignore', 'ignore'] });
}

async function ready(port) {
  const until = Date.now() + startMs;
  while (Date.now() < until) {
    const response = await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`The server on port ${port} did not start within ${startMs} ms.`);
}

/** The same numbers in every run (mulberry32). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
