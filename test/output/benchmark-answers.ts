import { detectChatFormat } from '../../src/output/detect-family.ts';
import type { OutputMachine } from '../../src/output/output-machine.ts';
import { chunks, inText, machineFor, tool } from './machine.ts';

export interface BenchmarkAnswer {
  readonly title: string;
  readonly family: string;
  readonly text: string;
  readonly pieces: readonly string[];
}

const size = 64 * 1024;
const prose = 'The quick brown fox < jumps over {the} lazy "dog" and [then] goes on.\n';
const lines = prose.repeat(Math.ceil(size / prose.length)).slice(0, size);
const asJson = JSON.stringify({ content: lines });

function answer(title: string, family: string, text: string): BenchmarkAnswer {
  return { title, family, text, pieces: chunks(text, 4) };
}

/** Long answers of the shapes that cost most: text full of half markers, and long arguments in three syntaxes. */
export const benchmarkAnswers: readonly BenchmarkAnswer[] = [
  answer('text', 'hermes', lines),
  answer('a thought', 'hermes', `<think>\n${lines}</think>\n\nDone.`),
  answer('JSON arguments', 'hermes', `<tool_call>\n{"name": "write_file", "arguments": ${asJson}}\n</tool_call>`),
  answer('early arguments', 'hermes', `<tool_call>\n{"arguments": ${asJson}, "name": "write_file"}\n</tool_call>`),
  answer(
    'tagged arguments',
    'qwen3-coder',
    `<tool_call>\n<function=write_file>\n<parameter=content>\n${lines}\n</parameter>\n</function>\n</tool_call>`,
  ),
  answer('an unclosed call', 'hermes', `<tool_call>\n{"name": "other", "arguments": ${asJson}`),
  answer(
    'channels',
    'gpt-oss',
    `<|channel|>analysis<|message|>${lines}<|end|><|start|>assistant<|channel|>final<|message|>Done.`,
  ),
];

export function benchmarkMachine({ family }: BenchmarkAnswer): OutputMachine {
  const tools = [tool('write_file', { content: { type: 'string' } })];
  return machineFor({ format: detectChatFormat(undefined, family), opening: inText, tools });
}
