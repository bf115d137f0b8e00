import { spawn } from 'node:child_process';

/** What shows an address to the person at the machine: program and arguments. */
const openers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  // `start` takes its first quoted argument for a title.
  win32: ['cmd', '/c', 'start', '""'],
};

/** The part of a child process that is listened to. */
interface Started {
  once(event: 'error' | 'exit', listener: (what: unknown) => void): unknown;
  unref(): void;
}

export interface BrowserStart {
  readonly platform: NodeJS.Platform;
  readonly run: (program: string, args: readonly string[]) => Started;
}

const machine: BrowserStart = {
  platform: process.platform,
  run: (program, args) => spawn(program, args, { stdio: 'ignore', detached: true }),
};

/** Settles false where that is not possible: no browser, no screen. Never where the opener stays, being the browser. */
export function openBrowser(url: string, { platform, run }: BrowserStart = machine): Promise<boolean> {
  const [program = '', ...given] = openers[platform] ?? ['xdg-open'];
  return new Promise((resolve) => {
    const opener = run(program, [...given, url]);
    opener.once('error', () => resolve(false));
    opener.once('exit', (code) => resolve(code === 0));
    opener.unref();
  });
}
