import { rmSync, writeSync } from 'node:fs';
import { findLibrary } from '../native/find-library.ts';
import { openLibrary } from '../native/open-library.ts';
import { quantizeFile } from '../native/quantize.ts';
import { readImportance } from './importance-matrix.ts';

/** What a child process is to do, as JSON. */
export interface QuantizeJob {
  readonly input: string;
  /** undefined: nothing is written, the log tells what each type would make of each tensor. */
  readonly output: string | undefined;
  /** llama_ftype; more than one only where nothing is written. */
  readonly types: readonly number[];
  readonly threads: number;
  readonly requantize: boolean;
  /** Path of an importance matrix. */
  readonly importance: string | undefined;
  /** Stands before the line that says which type the following ones are about. */
  readonly mark: string;
}

/**
 * In the child, in a thread of its own: the library's call lasts minutes, and cannot be interrupted. Its log goes to
 * stderr.
 * @returns whether it was written; for a trial always true: what the types came to stands in the log
 */
export async function runQuantizeJob(job: QuantizeJob): Promise<boolean> {
  const { input, output, types, threads, requantize, mark } = job;
  const importance = job.importance === undefined ? undefined : await readImportance(job.importance);
  const library = openLibrary(findLibrary(false), { verbose: true });
  const measureOnly = output === undefined;
  const done = types.map((type) => {
    // Past Node's own buffers, so that it stands between the library's lines.
    writeSync(2, `\n${mark} ${type}\n`);
    const how = { type, threads, requantize, measureOnly, ...(importance && { importance }) };
    return quantizeFile(library, { input, output: output ?? '' }, how);
  });
  return measureOnly || done.every(Boolean);
}

/**
 * In the child's main thread: whoever started it holds its standard input open, and when that ends nobody is left to take
 * the file away.
 */
export function endWithParent(output: string | undefined): void {
  const end = () => {
    if (output !== undefined) rmSync(output, { force: true });
    process.kill(process.pid, 'SIGKILL');
  };
  process.stdin.once('end', end).once('error', end).resume();
}
