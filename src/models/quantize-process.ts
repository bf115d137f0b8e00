import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { deathWords } from './crash-test.ts';
import type { QuantizeJob } from './quantize-job.ts';
import { LineSplitter, reasonIn } from './quantize-log.ts';

export interface QuantizeProcess {
  /** The compiled file that runs a QuantizeJob. */
  readonly entry: URL;
  readonly signal: AbortSignal;
}

/** Of the log's end, where the reason stands. */
const keptLog = 8000;

/**
 * Runs the job in a process of its own, whose death is no harm here, and hands on each line of its log. Settles when that
 * process is gone, whatever ended it. Throws ServeError with what the library said, or the signal's reason.
 */
export async function runQuantizeProcess(
  job: QuantizeJob,
  { entry, signal }: QuantizeProcess,
  onLine: (line: string) => void,
): Promise<void> {
  signal.throwIfAborted();
  const child = spawn(process.execPath, [fileURLToPath(entry), JSON.stringify(job)], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const lines = new LineSplitter();
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-keptLog);
    for (const line of lines.push(text)) onLine(line);
  });
  // It ends first where it is killed: nothing is lost.
  child.stdin.on('error', () => undefined);
  try {
    const [code, killer] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (...outcome) => resolve(outcome));
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure(job.input, { code, killer, said });
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

interface Death {
  readonly code: number | null;
  readonly killer: NodeJS.Signals | null;
  readonly said: string;
}

function failure(input: string, { code, killer, said }: Death): ServeError {
  const reason = reasonIn(said);
  if (reason !== undefined) {
    return new ServeError('engine_failure', `${input} could not be quantized: ${printable(reason)}.`);
  }
  const words = deathWords(said);
  const how = killer === null ? `ended with exit code ${code}` : `was ended by ${killer}`;
  return new ServeError(
    'engine_failure',
    words === ''
      ? `The process that quantized ${input} ${how}. Nothing was written. Was there memory enough?`
      : `${input} makes the inference library crash (${printable(words)}). The file is damaged or of a kind that the library does not know.`,
  );
}
