import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { environmentName, type FlagName, type GivenFlag } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { bannerAddress } from './banner.ts';

export interface BenchServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** What a server that is there to be measured does not take over: it answers this program alone. */
const notTaken: readonly FlagName[] = [
  ...(['host', 'port', 'sslCert', 'sslKey', 'open', 'chatStore', 'responseStore'] as const),
  ...(['logLevel', 'logFormat', 'verbose', 'rateLimitRpm', 'rateLimitTpm'] as const),
];
const patienceMs = 15_000;

/**
 * A server as a user gets it: the program itself, in a process of its own, with the same flags. Settles when its model is
 * loaded; throws with the server's own words where it cannot be.
 */
export async function startBenchServer(
  model: string,
  {
    given,
    slots,
    signal,
  }: { readonly given: readonly GivenFlag[]; readonly slots: number; readonly signal: AbortSignal },
): Promise<BenchServer> {
  signal.throwIfAborted();
  const program = fileURLToPath(new URL('./serve-model.js', import.meta.url));
  const taken = given.filter(({ name }) => !notTaken.includes(name)).map(({ argument }) => argument);
  const own = ['--host', '127.0.0.1', '--port', '0', '--chat-store', 'off', '--log-level', 'silent'];
  const size = taken.some((argument) => argument.startsWith('--parallel=')) ? [] : ['--parallel', String(slots)];
  const child = spawn(process.execPath, [program, 'serve', model, ...size, ...taken, ...own], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: environment(),
  });
  let [out, error] = ['', ''];
  const ended = new Promise<void>((resolve) => child.once('close', resolve));
  const stop = async () => {
    child.kill('SIGTERM');
    const timer = setTimeout(() => child.kill('SIGKILL'), patienceMs);
    await ended;
    clearTimeout(timer);
  };
  const kill = () => child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    error = (error + text).slice(-4000);
  });
  const url = await new Promise<string | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out = (out + text).slice(-4000);
      const address = bannerAddress(out);
      if (address !== undefined) resolve(address);
    });
    void ended.then(() => resolve(undefined));
  });
  signal.throwIfAborted();
  if (url === undefined) throw new ServeError('engine_failure', reasonIn(error));
  return { url, stop };
}

function environment(): NodeJS.ProcessEnv {
  const env = { ...process.env };
  for (const name of notTaken) delete env[environmentName(name)];
  return env;
}

function reasonIn(error: string): string {
  const sentences = [...error.matchAll(/^serve-model: (.+)$/gm)];
  return printable(sentences.at(-1)?.[1] ?? 'The server ended before it had loaded the model.');
}
