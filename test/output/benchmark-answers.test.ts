import { expect, it } from 'vitest';
import { benchmarkAnswers, benchmarkMachine } from './benchmark-answers.ts';

const shown: Readonly<Record<string, readonly string[]>> = {
  text: ['text 65536'],
  'a thought': ['reasoning 65536', 'text 5'],
  'JSON arguments': ['tool-call 68358'],
  'early arguments': ['tool-call 68358'],
  'tagged arguments': ['tool-call 68358'],
  'an unclosed call': ['text 68401'],
  channels: ['reasoning 65536', 'text 5'],
};

it.each(benchmarkAnswers)('parses $title completely, in the time that its length allows', (answer) => {
  const machine = benchmarkMachine(answer);
  const begin = process.cpuUsage();
  const events = [...answer.pieces.flatMap((piece) => machine.push(piece)), ...machine.end('complete')];
  const { user, system } = process.cpuUsage(begin);
  const microseconds = (user + system) / answer.pieces.length;
  const blocks: { kind: string; length: number }[] = [];
  for (const event of events) {
    if (event.type === 'block-start') blocks.push({ kind: event.kind, length: 0 });
    const block = blocks[blocks.length - 1];
    if (event.type === 'block-delta' && block) block.length += event.delta.length;
  }
  expect(blocks.map(({ kind, length }) => `${kind} ${length}`)).toEqual(shown[answer.title]);
  // The bench measures below 1; a cold start may take more, quadratic work takes hundreds.
  expect(microseconds).toBeLessThan(30);
});
