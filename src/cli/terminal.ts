import { createInterface } from 'node:readline/promises';
import { printableLines } from '../contract/printable.ts';

/** Where the commands write to. Results go to stdout; progress, questions and failures to stderr. */
export interface Terminal {
  readonly write: (text: string) => void;
  readonly writeError: (text: string) => void;
  /** One sentence on stderr. */
  readonly tell: (sentence: string) => void;
  /** A person looks at stderr. */
  readonly interactive: boolean;
  /** The line that the person types; undefined when nobody can. */
  readonly ask: ((question: string, signal: AbortSignal) => Promise<string>) | undefined;
}

/** stdout and stderr of this process. A reader that goes away (`| head`) must not end it with a stack trace. */
export function processTerminal(): Terminal {
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const writeError = (text: string) => void process.stderr.write(text);
  return {
    write: (text) => void process.stdout.write(text),
    writeError,
    tell: (sentence) => writeError(`serve-model: ${printableLines(sentence)}\n`),
    interactive: process.stderr.isTTY === true,
    ask: process.stdin.isTTY === true ? askLine : undefined,
  };
}

async function askLine(question: string, signal: AbortSignal): Promise<string> {
  const lines = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await lines.question(question, { signal });
  } finally {
    lines.close();
  }
}
