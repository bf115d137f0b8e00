import { bench, describe } from 'vitest';
import { benchmarkAnswers, benchmarkMachine } from './benchmark-answers.ts';

/** Run with `npx vitest bench --config test/vitest.config.ts`. The answers are proven by benchmark-answers.test.ts. */
describe.each(benchmarkAnswers)('$title, 64 kB in pieces of 4 characters', (answer) => {
  bench('parse', () => {
    const machine = benchmarkMachine(answer);
    for (const piece of answer.pieces) machine.push(piece);
    machine.end('complete');
  });
});
