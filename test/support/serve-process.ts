import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Readable } from 'node:stream';

const root = resolve(import.meta.dirname, '../..');
export const commandPath = resolve(root, 'dist/cli/serve-model.js');

export interface ServeProcess {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  /** What it wrote so far. */
  out(): string;
  error(): string;
  /** The address in its banner, which comes within so many milliseconds. */
  ready(patienceMs?: number): Promise<string>;
  exited(): Promise<number | null>;
}

/** The `serve-model` command in a process of its own, on a free port and quick to start. */
export function startProcess(flags: readonly string[] = [], env: Readonly<Record<string, string>> = {}): ServeProcess {
  const quick = ['--port', '0', '--threads', '1', '--no-flash-attn', '--ctx-size', '1024'];
  return runCommand([...quick, ...flags], env);
}

export function runCommand(argv: readonly string[], env: Readonly<Record<string, string>> = {}): ServeProcess {
  const child = spawn(process.execPath, [commandPath, ...argv], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let out = '';
  let error = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error += text;
  });
  const exit = new Promise<number | null>((done) => child.once('close', done));
  return {
    child,
    out: () => out,
    error: () => error,
    ready: (patienceMs) =>
      withDeadline(
        'the banner',
        bannerAddress(
          child,
          () => out,
          exit,
          () => error,
        ),
        patienceMs,
      ),
    exited: () => withDeadline('the exit', exit),
  };
}

async function bannerAddress(
  child: ServeProcess['child'],
  out: () => string,
  exit: Promise<number | null>,
  error: () => string,
): Promise<string> {
  const ended = exit.then((code) => {
    throw new Error(`it ended with ${code}: ${error()}`);
  });
  ended.catch(() => undefined); // it may be asked for when the banner is there already
  for (;;) {
    const address = /address {2}(\S+)\n/.exec(out())?.[1];
    if (address !== undefined) return address;
    await Promise.race([new Promise((done) => child.stdout.once('data', done)), ended]);
  }
}

export async function withDeadline<Value>(label: string, promise: Promise<Value>, ms = 30_000): Promise<Value> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${label}: not within ${ms} ms`)), ms);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
