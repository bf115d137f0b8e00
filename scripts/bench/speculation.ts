import { tokensPerSecond } from '../../src/bench/rates.ts';
import { median } from '../../src/bench/report.ts';
import { inRepository } from '../in-repository.ts';
import { chat } from './chat.ts';
import type { RunningServer } from './server.ts';
import { ownServer, startServer } from './server.ts';
import { toTable } from './table.ts';

/** The name of all this for --only. */
export const speculationName = 'speculation';

const demoModel = inRepository('models/serve-model-demo.gguf');

const variants = [
  { title: 'plain', flags: [] },
  { title: '--lookup-decoding', flags: ['--lookup-decoding'] },
  { title: '--draft-model, the model itself', flags: ['--draft-model', demoModel] },
] as const;

/** An essay in which the demo model says most sentences twice: text that can be guessed from what came before. */
const request = {
  messages: [{ role: 'user', content: 'Write an essay about the ocean.' }],
  maxTokens: 300,
} as const;

/** Decoding with and without guesses, on the demo model: random weights would make every guess wrong. */
export async function benchSpeculation(rounds: number, log: (line: string) => void): Promise<string> {
  const servers: { title: string; server: RunningServer; speeds: number[]; text: string }[] = [];
  try {
    for (const { title, flags } of variants)
      servers.push({ title, server: await startServer(ownServer(flags), demoModel), speeds: [], text: '' });
    for (let round = 0; round < rounds; round += 1)
      for (const entry of servers) {
        const result = await chat(entry.server.port, request);
        entry.speeds.push(tokensPerSecond([result]));
        entry.text = result.text;
        log(`demo, round ${round + 1}, ${speculationName}, ${entry.title}: ${entry.speeds.at(-1)?.toPrecision(4)}`);
      }
  } finally {
    await Promise.all(servers.map(({ server }) => server.stop()));
  }
  const plain = median(servers[0]?.speeds ?? []);
  const rows = servers.map(({ title, speeds, text }) => [
    title,
    `${median(speeds).toFixed(0)} tokens/s`,
    `${(median(speeds) / plain).toFixed(2)}x`,
    text === servers[0]?.text ? 'yes' : 'no',
  ]);
  return toTable(['variant', 'decode, 1 stream', 'ratio', 'same text'], rows);
}
