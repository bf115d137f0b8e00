import { someWords } from '../../src/bench/words.ts';
import { withDeadline } from './deadline.ts';
import type { Scenario } from './scenario.ts';
import type { ServerSpec } from './server.ts';
import { startServer } from './server.ts';

const deadline = 300_000;

/** llama-server gives vectors only in a mode of its own; a chat model's is that of its last token on both sides. */
function forEmbeddings(spec: ServerSpec): ServerSpec {
  const extra = spec.product === 'llama-server' ? ['--embeddings', '--pooling', 'last'] : [];
  return {
    ...spec,
    name: `${spec.name} for embeddings`,
    args: (model, port) => [...spec.args(model, port), ...extra],
  };
}

async function embed(port: number, input: readonly string[]): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/embeddings`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ input }),
  });
  const answer = (await response.json()) as { usage?: { prompt_tokens: number } };
  if (!response.ok || !answer.usage) throw new Error(`embeddings: ${JSON.stringify(answer).slice(0, 300)}`);
  return answer.usage.prompt_tokens;
}

/** Prompt tokens per second over one request with so many inputs. */
async function throughput(port: number, input: readonly string[]): Promise<number> {
  const startedAt = performance.now();
  const tokens = await withDeadline(embed(port, input), deadline, `${input.length} embeddings`);
  return (tokens / (performance.now() - startedAt)) * 1000;
}

const texts = (count: number, words: number, seed: number) =>
  Array.from({ length: count }, (_, index) => someWords(words, seed + index));

export const embeddingScenario: Scenario = {
  name: 'embeddings',
  measures: [
    { title: 'embeddings of 64 inputs of 20 words in one request', unit: 'tokens/s', better: 'higher' },
    { title: 'embeddings of 8 inputs of 200 words in one request', unit: 'tokens/s', better: 'higher' },
  ],
  async run({ server: { spec }, modelPath, seed }) {
    const server = await startServer(forEmbeddings(spec), modelPath);
    try {
      // As long as the longest: whoever touches memory first waits for the kernel to find it.
      await embed(server.port, texts(8, 200, seed));
      return [
        await throughput(server.port, texts(64, 20, seed + 100)),
        await throughput(server.port, texts(8, 200, seed + 200)),
      ];
    } finally {
      await server.stop();
    }
  },
};
