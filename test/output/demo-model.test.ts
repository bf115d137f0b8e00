import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Tool } from '../../src/contract/request.ts';
import { detectChatFormat } from '../../src/output/detect-family.ts';
import { chunkings, inText, lines, run, tool } from './machine.ts';

interface Example {
  readonly prompt: string;
  readonly raw: string;
  readonly reasoning: string;
  readonly content: string;
  readonly tool_calls: readonly { readonly name: string; readonly arguments: object }[];
  readonly request: { readonly tools?: readonly { readonly function: { readonly name: string } }[] };
}

const file = resolve(import.meta.dirname, '../fixtures/demo-examples.json');
const examples: readonly Example[] = JSON.parse(readFileSync(file, 'utf8'));
const format = detectChatFormat('<|im_start|> <think> <tool_call>');

/** What the example's blocks must be. Its listed calls may be wished ones, so the arguments are taken from `raw`. */
function expected(example: Example): string[] {
  const calls = [...example.raw.matchAll(/"name": "(\w+)", "arguments": (.*)\}\n<\/tool_call>/g)];
  return [
    ...(example.reasoning === '' ? [] : [`reasoning ${JSON.stringify(example.reasoning)}`]),
    ...(example.content === '' ? [] : [`text ${JSON.stringify(example.content)}`]),
    ...calls.map(([, name, args], index) => `call call_${index + 1} ${name} ${args}`),
  ];
}

describe('the demo model', () => {
  it.each(examples.map((example, index) => [index, example] as const))(
    'reads example %i at every cut',
    (_, example) => {
      const written = [...example.raw.matchAll(/"name": "(\w+)"/g)].map(([, name]) => name ?? '');
      const tools: Tool[] = [...new Set(written)].map((name) => tool(name));
      for (const pieces of chunkings(example.raw)) {
        expect(lines(run({ format, opening: inText, tools }, pieces))).toEqual(expected(example));
      }
    },
  );
});
