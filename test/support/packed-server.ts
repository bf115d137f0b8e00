import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';

const root = resolve(import.meta.dirname, '../..');

/** The package as `npm pack` makes it of what is built (see build-package), unpacked inside the project so that it finds its dependencies. */
export function unpackPackage(name: string): { readonly folder: string; remove(): void } {
  const folder = join(root, '.cache', name);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const shell = process.platform === 'win32';
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
  execFileSync('npm', pack, { cwd: root, stdio: 'ignore', shell });
  const [tarball] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (tarball === undefined) throw new Error('npm pack made no tarball.');
  execFileSync('tar', ['-xzf', tarball], { cwd: folder });
  return { folder: join(folder, 'package'), remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface PackedServer {
  readonly url: string;
  /** Sends SIGTERM; settles with the exit code. */
  stop(): Promise<number | null>;
}

/** Starts the package's command and waits until it says where it listens. */
export async function startPacked(folder: string, args: readonly string[], seconds = 60): Promise<PackedServer> {
  const child = spawn(process.execPath, [join(folder, 'dist/cli/serve-model.js'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = new Promise<number | null>((done) => child.once('exit', done));
  const url = await addressOf(child, exited, seconds);
  return {
    url,
    stop() {
      child.kill('SIGTERM');
      return exited;
    },
  };
}

async function addressOf(child: ChildProcess, exited: Promise<unknown>, seconds: number): Promise<string> {
  let output = '';
  const address = new Promise<string>((found) => {
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data: Buffer) => {
        output += data.toString();
        const [, url] = /address\s+(http:\S+)/.exec(output) ?? [];
        if (url !== undefined) found(url);
      });
  });
  const fail = (why: string) => new Error(`The server ${why}:\n${output}`);
  const gone = exited.then(() => Promise.reject(fail('ended before it listened')));
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(fail(`did not say within ${seconds} s where it listens`)), seconds * 1000);
  });
  try {
    return await Promise.race([address, gone, late]);
  } catch (error) {
    child.kill('SIGKILL');
    throw error;
  } finally {
    clearTimeout(timer);
    // Once an address was found, a later end is no failure of the start.
    gone.catch(() => undefined);
  }
}
