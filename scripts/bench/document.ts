import type { ModelName } from './bench-model.ts';
import { modelShapes } from './bench-model.ts';
import { contextPerSlot, slots } from './server.ts';

interface Findings {
  readonly machine: readonly string[];
  readonly rounds: number;
  /** A table; undefined when it was not measured. */
  readonly speculation: string | undefined;
  readonly structured: string | undefined;
  readonly tables: readonly { readonly model: ModelName; readonly table: string }[];
}

/** BENCHMARKS.md: written by the benchmark, so that text and figures stay together. */
export function toDocument({ machine, rounds, tables, speculation, structured }: Findings): string {
  return `# Benchmarks

Written by \`npm run bench -- --peer PATH\`. Do not edit: run it again.

${machine.map((line) => `- ${line}`).join('\n')}

${tables.map(({ model, table }) => `## ${model}\n\n${describeModel(model)}\n\n${table}`).join('\n\n')}
${speculation === undefined ? '' : `\n## Speculative decoding\n\nThe bundled demo model writes an essay in which most sentences come twice.\n\n${speculation}\n`}${structured === undefined ? '' : `\n## Structured output\n\nThe bundled demo model writes small JSON objects, free and held to their schema; 0.85x is the goal.\n\n${structured}\n`}
## How it is measured

- Every figure is the median of ${rounds} rounds. All servers run at the same time in one run and take turns, scenario by scenario, in an order that changes from round to round; while one is measured, the others idle.
- Both serve the same file with ${slots} slots of ${contextPerSlot} tokens and are asked over HTTP by the same client, with greedy sampling and a fixed number of tokens, which is checked.
- Tokens per second of several streams are counted while all of them run, from the first token of the last one to the last token of the first one: reading their prompts is measured elsewhere.
- llama-server is built from the source that node-llama-cpp carries, so both compute with the same kernels. It runs twice, with one thread and with as many as there are cores; the better one counts, row by row, and stands in brackets. serve-model finds its own threads.
- serve-model begins once more by itself to have huge pages where the kernel gives them on demand; Node.js before 22.15 cannot, so there it is started with the variable that the guide to speed names. llama-server is started as it is.
- The ratio is serve-model's figure by llama-server's: for tokens per second more is better, for times and memory less.
- "Start of the program" is a later start: the first one on a machine also measures threads once, which takes a second or two, and remembers the result. Each server starts twice in a row and the second start counts: the first may find memory that a hypervisor has taken back.
- Speculative decoding is compared with serve-model itself. A draft model that is the model itself guesses right always and gains nothing: the row shows what the guessing costs. A real draft model is several times smaller.
- The models have random weights and Qwen2's real vocabulary. They are as fast and as big as real ones of their shape, but their answers are no language: read nothing into cached tokens of the conversation but the comparison. In the conversation every answer is one word over and over (a logit bias), so that all servers hold the same one.
`;
}

function describeModel(name: ModelName): string {
  const { layers, width, feedForward, heads, keyValueHeads, type } = modelShapes[name];
  const why =
    name === 'mini'
      ? 'Sampling and the server itself take most of the time, as they do for small models on a fast GPU.'
      : 'The shape of Qwen2 0.5B: the model takes the time.';
  return `${layers} layers, width ${width}, feed-forward ${feedForward}, ${heads} heads (${keyValueHeads} for keys and values), ${type}, 151,936 tokens. ${why}`;
}
