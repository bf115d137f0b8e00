import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { NativeTask } from './native-child.ts';
import { type NativeReport, nativeReport } from './native-report.ts';

export interface RunNativeOptions {
  /** The compiled file that calls `examineNative`. */
  readonly entry: URL;
  readonly task: NativeTask;
  readonly env: NodeJS.ProcessEnv;
  readonly deadlineMs: number;
}

/** Longest output that is read: a few lines. */
const mostCharacters = 100_000;

/** Never throws for what the child does. */
export function runNative({ entry, task, env, deadlineMs }: RunNativeOptions): Promise<NativeReport> {
  const child = spawn(process.execPath, [fileURLToPath(entry), JSON.stringify(task)], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env,
  });
  const heard = { output: '', words: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    heard.output = (heard.output + text).slice(0, mostCharacters);
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    heard.words = (heard.words + text).slice(0, mostCharacters);
  });
  return new Promise((resolve) => {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, deadlineMs);
    const settle = (code: number | null, signal: string | null, words: string) => {
      clearTimeout(timer);
      resolve(nativeReport({ output: heard.output, words, code, signal, late }));
    };
    child.once('error', (error) => settle(null, null, error.message));
    // `close` comes after the last of its output was read.
    child.once('close', (code, signal) => settle(code, signal, lastWords(heard.words)));
  });
}

/** Of an assertion, or of whatever else it said last. */
function lastWords(said: string): string {
  const lines = said.split('\n').filter((line) => line.trim() !== '');
  return /GGML_ASSERT\(.*\) failed/.exec(said)?.[0] ?? lines.at(-1)?.trim().slice(0, 300) ?? '';
}
