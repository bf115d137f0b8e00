import { median } from '../../src/bench/report.ts';
import { inRepository } from '../in-repository.ts';
import { ownServer, startServer } from './server.ts';
import { toTable } from './table.ts';

/** The name of all this for --only. */
export const structuredName = 'structured';

const demoModel = inRepository('models/serve-model-demo.gguf');

const prompts = [
  'Give me JSON with name, age and city: Bob, 42, Paris',
  'Alice is 31 years old and lives in Rome. Extract name, age and city as JSON.',
];

const schema = {
  type: 'object',
  properties: { name: { type: 'string' }, age: { type: 'integer', minimum: 0 }, city: { type: 'string' } },
  required: ['name', 'age', 'city'],
  additionalProperties: false,
};

const variants = [
  { title: 'unconstrained', fields: {} },
  {
    title: 'json_schema',
    fields: { response_format: { type: 'json_schema', json_schema: { name: 'person', strict: true, schema } } },
  },
] as const;

const answersPerRound = 40;

/** What the wire gives; `timings` is llama-server's extension, which serve-model has too. */
interface Answer {
  readonly choices: readonly { readonly message: { readonly content: string } }[];
  readonly timings: { readonly predicted_n: number; readonly predicted_ms: number };
}

/**
 * Decoding with and without a schema, on the demo model, which writes the JSON that it is asked for: what is compared
 * is the same text, token for token. Without thinking, so that the grammar is on from the first token to the last.
 */
export async function benchStructured(rounds: number, log: (line: string) => void): Promise<string> {
  const server = await startServer(ownServer([]), demoModel);
  const speeds = variants.map((): number[] => []);
  const texts = variants.map(() => new Set<string>());
  try {
    for (let round = 1; round <= rounds; round++) {
      const totals = variants.map(() => ({ tokens: 0, ms: 0 }));
      for (let at = 0; at < answersPerRound; at++) {
        for (const [index, { fields }] of variants.entries()) {
          const answer = await ask(server.port, prompts[at % prompts.length] ?? '', fields);
          texts[index]?.add(answer.choices[0]?.message.content ?? '');
          const total = totals[index];
          if (!total) continue;
          // The first token is the prompt's.
          total.tokens += answer.timings.predicted_n - 1;
          total.ms += answer.timings.predicted_ms;
        }
      }
      for (const [index, { tokens, ms }] of totals.entries()) speeds[index]?.push((tokens / ms) * 1000);
      log(`demo, round ${round}, ${structuredName}: ${speeds.map((each) => each.at(-1)?.toFixed(0)).join(', ')}`);
    }
  } finally {
    await server.stop();
  }
  const free = median(speeds[0] ?? []);
  const rows = variants.map(({ title }, index) => {
    const speed = median(speeds[index] ?? []);
    const same = [...(texts[index] ?? [])].every((text) => texts[0]?.has(text));
    return [title, `${speed.toFixed(0)} tokens/s`, `${(speed / free).toFixed(2)}x`, same ? 'yes' : 'no'];
  });
  return toTable(['answer', 'decode, 1 stream', 'ratio', 'same texts'], rows);
}

async function ask(port: number, content: string, fields: object): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content }], temperature: 0, enable_thinking: false, ...fields }),
  });
  if (!response.ok) throw new Error(`status ${response.status}: ${await response.text()}`);
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}
