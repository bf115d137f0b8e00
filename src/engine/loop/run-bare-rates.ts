import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../../contract/errors.ts';
import { printable } from '../../contract/printable.ts';
import type { BareRatesJob, BareRatesLine } from './bare-rates-job.ts';

export interface BareRatesOptions {
  /** The compiled file that calls `runBareRates`. */
  readonly entry: URL;
  readonly signal: AbortSignal;
  readonly onRound: (name: string) => void;
}

/**
 * In a process of its own, which gives all memory back before a server takes it. Throws ServeError engine_failure, or the
 * signal's reason.
 */
export async function measureBareRates(job: BareRatesJob, options: BareRatesOptions): Promise<BareRatesLine[]> {
  const { entry, signal, onRound } = options;
  signal.throwIfAborted();
  const child = spawn(process.execPath, [fileURLToPath(entry), JSON.stringify(job)], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const lines: BareRatesLine[] = [];
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-4000);
  });
  createInterface({ input: child.stdout }).on('line', (text) => {
    const line: BareRatesLine = JSON.parse(text);
    lines.push(line);
    onRound(line.name);
  });
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    signal.throwIfAborted();
    if (code === 0) return lines;
    const words = /^(?:Error|\w*Error): (.+)$/m.exec(said)?.[1] ?? said.trim().split('\n').at(-1) ?? '';
    throw new ServeError('engine_failure', `The library alone could not be measured: ${printable(words)}`);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}
