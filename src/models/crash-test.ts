import { spawn } from 'node:child_process';
import { stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { ServeError } from '../contract/errors.ts';
import { Adapter } from '../native/adapter.ts';
import { Context } from '../native/context.ts';
import { findLibrary } from '../native/find-library.ts';
import { Model } from '../native/model.ts';
import { openLibrary } from '../native/open-library.ts';

/** Remembers which files were found sound, so that each is tried once. */
export interface PassedFiles {
  has(fingerprint: string): boolean;
  add(fingerprint: string): void;
}

export interface CrashTestOptions {
  /** The compiled file that calls `tryStructure`. */
  readonly entry: URL;
  readonly signal: AbortSignal;
  readonly passed?: PassedFiles;
  readonly deadlineMs?: number;
  /** To be tried on the model. */
  readonly adapters?: readonly string[];
}

/** Whether these very files passed before; it answers at once. */
export async function hasPassed(path: string, passed: PassedFiles, adapters: readonly string[] = []): Promise<boolean> {
  return passed.has(await fingerprintOf([path, ...adapters]));
}

/**
 * Loads a model's structure in a child process: header, vocabulary, tensor shapes and the compute graph, but no weights,
 * so it takes a second and little memory whatever the model's size. llama.cpp checks much of a file with assertions that
 * end the process; here they end the child. The same goes for adapters. Errors that llama.cpp reports as such are left to
 * the real load, which words them better. Throws ServeError invalid_request when the child dies or never ends.
 */
export async function crashTest(path: string, options: CrashTestOptions): Promise<void> {
  options.signal.throwIfAborted();
  const { adapters = [] } = options;
  const fingerprint = await fingerprintOf([path, ...adapters]);
  if (options.passed?.has(fingerprint)) return;
  const { outcome, words } = await runChild(path, options);
  options.signal.throwIfAborted();
  if (outcome === 'answered') options.passed?.add(fingerprint);
  if (outcome === 'answered' || outcome === 'unknown') return;
  const what =
    outcome === 'late' ? 'keeps the inference library busy without end' : 'makes the inference library crash';
  throw new ServeError(
    'invalid_request',
    `${[path, ...adapters].join(' with ')} ${what}${words === '' ? '' : ` (${words})`}. The file is damaged or of a kind that the library does not know: download it again.`,
    { param: path },
  );
}

/**
 * In the child: what a load does before the weights. That the library says no to the file is an answer too; throws where
 * there is no library.
 */
export function tryStructure(path: string, adapters: readonly string[]): void {
  const library = openLibrary(findLibrary(false));
  try {
    const model = Model.load(library, path, { gpuLayers: 0, loading: 'read', withoutWeights: true });
    const loaded = adapters.map((adapter) => new Adapter(model, adapter));
    const small = { contextSize: 256, sequences: 1, batchSize: 64, outputs: 1, threads: 1 };
    const context = Context.create(model, { ...small, flashAttention: 'auto' });
    context.free();
    for (const adapter of loaded) adapter.free();
    model.free();
  } catch {
    // The real load will say it better.
  }
}

interface ChildResult {
  /** `unknown`: the library itself does not run here, which the real load will say better. */
  readonly outcome: 'answered' | 'died' | 'late' | 'unknown';
  /** What it said of its death. */
  readonly words: string;
}

function runChild(
  path: string,
  { entry, signal, deadlineMs = 60_000, adapters = [] }: CrashTestOptions,
): Promise<ChildResult> {
  const child = spawn(process.execPath, [fileURLToPath(entry), path, ...adapters], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(0, 4000);
  });
  return new Promise((resolve, reject) => {
    let late = false;
    const kill = () => child.kill('SIGKILL');
    const timer = setTimeout(() => {
      late = true;
      kill();
    }, deadlineMs);
    signal.addEventListener('abort', kill, { once: true });
    const settle = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', kill);
    };
    child.once('error', (error) => {
      settle();
      reject(new ServeError('internal', 'The check of the model file could not be started.', {}, { cause: error }));
    });
    // `close` comes after the last of stderr was read.
    child.once('close', (code, killer) => {
      settle();
      resolve({ outcome: late ? 'late' : outcomeOf(code, killer), words: deathWords(said) });
    });
  });
}

function outcomeOf(code: number | null, killer: NodeJS.Signals | null): ChildResult['outcome'] {
  if (killer !== null || code === null || code >= 128) return 'died';
  return code === 0 ? 'answered' : 'unknown';
}

/** Of a process that the library has ended: `GGML_ASSERT(condition) failed`, without the source path before it. */
export function deathWords(said: string): string {
  return /GGML_ASSERT\(.*\) failed/.exec(said)?.[0] ?? /terminate called .*/.exec(said)?.[0] ?? '';
}

async function fingerprintOf(paths: readonly string[]): Promise<string> {
  const files = paths.map(async (path) => {
    const { size, mtimeMs } = await stat(path);
    return `${path} ${size} ${mtimeMs}`;
  });
  return (await Promise.all(files)).join(' with ');
}
