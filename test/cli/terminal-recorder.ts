import type { Terminal } from '../../src/cli/terminal.ts';

/** A terminal that remembers what was written and answers questions from a list. */
export function recordTerminal(options: { readonly interactive?: boolean; readonly answers?: readonly string[] } = {}) {
  const out: string[] = [];
  const error: string[] = [];
  const answers = [...(options.answers ?? [])];
  const terminal: Terminal = {
    write: (text) => void out.push(text),
    writeError: (text) => void error.push(text),
    tell: (sentence) => void error.push(`${sentence}\n`),
    interactive: options.interactive ?? false,
    ask: async (question) => {
      error.push(question);
      const answer = answers.shift();
      if (answer === undefined) throw new Error(`nobody answers ${question}`);
      return answer;
    },
  };
  return { terminal, out: () => out.join(''), error: () => error.join('') };
}
