/**
 * Whether the time to the first token tells that a guess of another's prompt is right: one key's prompt is read, then
 * another key sends right and wrong guesses of it by turns. `npm run measure:guesses -- [MODEL] [ROUNDS] [FLAGS]`
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const [model = '', rounds = '40', ...more] = process.argv.slice(2);
const { parseConfig } = await import('../dist/config.js');
const { startServer } = await import('../dist/main.js');

const folder = mkdtempSync(join(tmpdir(), 'measure-guesses-'));
const file = join(folder, 'keys');
writeFileSync(file, 'ann: sk-ann\nbob: sk-bob\nchief: sk-chief admin\n');
const flags = ['--port', '0', '--log-level', 'silent', '--ctx-size', '2048', '--api-key-file', file, ...more];
const { config } = parseConfig([...(model === '' ? [] : [model]), ...flags], process.env);
const server = await startServer(config, { progress: () => undefined });

const words = 'harbour lighthouse ladder window garden bottle river candle mirror kettle'.split(' ');
/** Another text for each number. */
function secret(number) {
  let state = number + 1;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return words[(state >>> 16) % words.length];
  };
  return Array.from({ length: 240 }, next).join(' ');
}

async function firstToken(who, content) {
  const body = { messages: [{ role: 'user', content }], max_tokens: 4, temperature: 0, stream: true };
  const began = performance.now();
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer sk-${who}` },
    body: JSON.stringify({ ...body, stream_options: { include_usage: true } }),
  });
  if (response.status !== 200) throw new Error(await response.text());
  let took;
  let text = '';
  for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
    text += piece;
    if (took === undefined && text.includes('"content":"')) took = performance.now() - began;
  }
  return { took, cached: Number(/"cached_tokens":(\d+)/.exec(text)?.[1]) };
}

const times = { right: [], wrong: [] };
const cached = { right: new Set(), wrong: new Set() };
for (let round = 0; round < Number(rounds); round++) {
  const text = secret(round);
  await firstToken('ann', text);
  for (const kind of round % 2 === 0 ? ['right', 'wrong'] : ['wrong', 'right']) {
    const guess = kind === 'right' ? text : secret(round + 10_000);
    const { took, cached: found } = await firstToken('bob', guess);
    times[kind].push(took);
    cached[kind].add(found);
  }
}
const quantile = (values, part) => values.toSorted((one, other) => one - other)[Math.floor(part * (values.length - 1))];
for (const kind of ['right', 'wrong']) {
  const parts = [0.1, 0.25, 0.5, 0.75, 0.9].map((part) => `${quantile(times[kind], part).toFixed(1)}`.padStart(7));
  console.log(
    `${kind.padEnd(6)} ms to the first token, p10 p25 p50 p75 p90:${parts.join('')}   cached: ${[...cached[kind]]}`,
  );
}
const faster = times.right.filter((took, at) => took < times.wrong[at]).length;
console.log(`the right guess was the faster one in ${faster} of ${rounds} rounds`);
await server.close();
rmSync(folder, { recursive: true });
