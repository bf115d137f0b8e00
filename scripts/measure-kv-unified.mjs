/**
 * One pool of context memory for all slots (--kv-unified) beside one for each: 8 streams at a depth, 8 users of one
 * system prompt, 4 long conversations that are unlike. Servers with and without it, by turns.
 * `npm run measure:kv-unified -- MODEL [ROUNDS] [DEPTH] [FLAGS]`
 */
const [model = '', rounds = '3', depth = '2000', ...more] = process.argv.slice(2);
const { parseConfig } = await import('../dist/config.js');
const { startServer } = await import('../dist/main.js');

const answerTokens = 80;
const figures = new Map();

for (let round = 0; round < Number(rounds); round++) {
  for (const unified of round % 2 === 0 ? [false, true] : [true, false]) {
    await withServer(8, Math.max(1040, Number(depth)) + 256, unified, async (url) => {
      const prompts = Array.from({ length: 8 }, (_, stream) => randomTokens(Number(depth), 1000 * round + stream));
      note(unified, `8 streams at ${depth}, tokens/s`, await decodeRate(url, prompts));
      const system = randomTokens(1000, 1000 * round + 500);
      const users = Array.from({ length: 8 }, (_, user) => [...system, ...randomTokens(40, 1000 * round + 600 + user)]);
      const began = performance.now();
      const answers = await Promise.all(users.map((prompt) => answer(url, prompt, 32)));
      const first = answers.map(({ times }) => times[0] - began);
      note(unified, '8 users of one prompt, ms to the middle first token', median(first));
      note(unified, '8 users of one prompt, ms to the last first token', Math.max(...first));
      note(unified, '8 users of one prompt, tokens/s behind it', await decodeRate(url, users));
    });
    const long = 2 * Number(depth);
    await withServer(4, long + 256, unified, async (url) => {
      const prompts = Array.from({ length: 4 }, (_, stream) => randomTokens(long, 1000 * round + 800 + stream));
      const began = performance.now();
      await Promise.all(prompts.map((prompt) => answer(url, prompt, 1)));
      note(unified, `4 conversations of ${long}, prompt tokens/s`, (4000 * long) / (performance.now() - began));
      note(unified, `4 conversations of ${long}, tokens/s`, await decodeRate(url, prompts));
    });
  }
}

for (const [name, { apart, pool }] of figures) {
  const show = (values) => `${median(values).toFixed(1)} (${values.map((value) => value.toFixed(1)).join(', ')})`;
  console.log(`${name}: apart ${show(apart)}, one pool ${show(pool)}, ${(median(pool) / median(apart)).toFixed(2)}`);
}
process.exit(0);

async function withServer(slots, contextSize, unified, work) {
  const flags = ['--port', '0', '--log-level', 'silent', '--ctx-size', `${contextSize}`, '--parallel', `${slots}`];
  const argv = [...(model === '' ? [] : [model]), ...flags, unified ? '--kv-unified' : '--no-kv-unified', ...more];
  const server = await startServer(parseConfig(argv, process.env).config, { progress: () => undefined });
  try {
    await work(server.url);
  } finally {
    await server.close();
  }
}

/** Of all streams together, in the time in which all of them decode. Their prompts are read first. */
async function decodeRate(url, prompts) {
  await Promise.all(prompts.map((prompt) => answer(url, prompt, 1)));
  const answers = await Promise.all(prompts.map((prompt) => answer(url, prompt, answerTokens)));
  const from = Math.max(...answers.map(({ times }) => times[0]));
  const until = Math.min(...answers.map(({ times }) => times.at(-1)));
  const tokens = answers.flatMap(({ times }) => times.filter((time) => time > from && time <= until)).length;
  return (1000 * tokens) / (until - from);
}

async function answer(url, prompt, maxTokens) {
  const body = { prompt, max_tokens: maxTokens, temperature: 0, stream: true, ignore_eos: true };
  const response = await fetch(`${url}/v1/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (response.status !== 200) throw new Error(await response.text());
  const times = [];
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    const now = performance.now();
    for (const _ of piece.matchAll(/"finish_reason":null/g)) times.push(now);
  }
  return { times };
}

/** Another text for each number; tokens that every vocabulary has. */
function randomTokens(count, number) {
  let state = number + 1;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 100 + ((state >>> 12) % 1500);
  });
}

function note(unified, name, value) {
  const both = figures.get(name) ?? { apart: [], pool: [] };
  both[unified ? 'pool' : 'apart'].push(value);
  figures.set(name, both);
}

function median(values) {
  return values.toSorted((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
}
