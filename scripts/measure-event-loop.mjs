/**
 * How long the event loop is held up while 8 streams run and a prompt of 200,000 characters comes in. Server and clock
 * are in this thread, the clients in a worker. `npm run build && node scripts/measure-event-loop.mjs MODEL [CHARACTERS] [ROUNDS]`
 */
import { readFileSync } from 'node:fs';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';

const streams = 8;
/** Of the monitor, in milliseconds: every figure contains it. */
const resolution = 1;
/** A prompt that is still being read after so long is cancelled: by then it has come in. */
const longestRead = 10_000;

if (isMainThread)
  await measure(process.argv[2] ?? '', Number(process.argv[3] ?? 200_000), Number(process.argv[4] ?? 3));
else await actAsClients(workerData);

async function measure(model, characters, rounds) {
  const { parseConfig } = await import('../dist/config.js');
  const { startServer } = await import('../dist/main.js');
  const flags = ['--port', '0', '--log-level', 'silent', '--parallel', String(streams + 1), '--ctx-size', '65536'];
  const { config } = parseConfig([model, ...flags], process.env);
  const server = await startServer(config, { progress: () => undefined });
  console.log(`heap: ${(process.memoryUsage().heapUsed / 2 ** 20).toFixed(0)} MiB`);
  const monitor = monitorEventLoopDelay({ resolution });
  monitor.enable();
  const worker = new Worker(new URL(import.meta.url), { workerData: { url: server.url, characters, rounds } });
  let longestCollection = 0;
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) longestCollection = Math.max(longestCollection, duration);
  }).observe({ entryTypes: ['gc'] });
  let waited = waitedForCore();
  worker.on('message', ({ phase, more = '' }) => {
    const waiting = `${(waitedForCore() - waited).toFixed(0)} ms without a core`;
    console.log(
      phase.padEnd(36),
      describe(monitor),
      waiting.padEnd(24),
      `gc up to ${longestCollection.toFixed(0)} ms`.padEnd(16),
      more,
    );
    longestCollection = 0;
    monitor.reset();
    waited = waitedForCore();
  });
  await new Promise((resolve) => worker.once('exit', resolve));
  await server.close();
}

/** Milliseconds that this thread was ready to run while others had the cores; Linux only. A busy machine shows here. */
function waitedForCore() {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
  } catch {
    return Number.NaN;
  }
}

function describe(monitor) {
  const figures = { p50: monitor.percentile(50), p99: monitor.percentile(99), max: monitor.max };
  return Object.entries(figures)
    .map(([name, nanoseconds]) => `${name} ${(nanoseconds / 1e6).toFixed(1)} ms`.padEnd(14))
    .join(' ');
}

async function actAsClients({ url, characters, rounds }) {
  const words =
    'A long account of what the harbour master saw in the year of the great flood and of the years after it. ';
  const chat = async (content, body) => {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ messages: [{ role: 'user', content }], stream: true, temperature: 0, ...body }),
    });
    if (response.status !== 200) throw new Error(await response.text());
    const reader = response.body.getReader();
    return async () => {
      const { value, done } = await reader.read();
      return done ? undefined : new TextDecoder().decode(value);
    };
  };
  const content = words.repeat(Math.ceil(characters / words.length)).slice(0, characters);
  const readers = await Promise.all(
    Array.from({ length: streams }, (_, index) => chat(`Count ${index}`, { ignore_eos: true, cancel_id: 'streams' })),
  );
  const cancel = (id) =>
    fetch(`${url}/api/inference/cancel`, { method: 'POST', body: JSON.stringify({ cancel_id: id }) });
  let pieces = 0;
  let longestGap = 0;
  const running = readers.map(async (read) => {
    let last = performance.now();
    for (let text = await read(); text !== undefined; text = await read()) {
      pieces += 1;
      longestGap = Math.max(longestGap, performance.now() - last);
      last = performance.now();
    }
  });
  await new Promise((resolve) => setTimeout(resolve, 3000));
  parentPort.postMessage({ phase: 'only the streams, 3 s', more: `${pieces} pieces` });
  for (let round = 1; round <= rounds; round += 1) {
    pieces = 0;
    longestGap = 0;
    const startedAt = performance.now();
    const read = await chat(`${round} ${content}`, { max_tokens: 1, cancel_id: `prompt ${round}` });
    const accepted = performance.now() - startedAt;
    parentPort.postMessage({ phase: `prompt ${round}, until its stream opened`, more: `${accepted.toFixed(0)} ms` });
    const giveUp = setTimeout(() => cancel(`prompt ${round}`), longestRead);
    for (let text = ''; text !== undefined && !text.includes('[DONE]'); ) text = await read();
    clearTimeout(giveUp);
    const seconds = (performance.now() - startedAt) / 1000;
    const more = `${seconds.toFixed(1)} s, ${pieces} pieces meanwhile, longest gap ${longestGap.toFixed(0)} ms`;
    parentPort.postMessage({ phase: `prompt ${round}, read`, more });
  }
  await cancel('streams');
  await Promise.all(running);
}
