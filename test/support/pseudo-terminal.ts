import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { commandPath, withDeadline } from './serve-process.ts';

/** Of util-linux, which Debian always has; macOS has another program of that name. */
const program = '/usr/bin/script';

/** Why there are no pseudo-terminals here; undefined where there are. */
export const noPseudoTerminal =
  process.platform === 'linux' && existsSync(program) ? undefined : `there is no ${program} of util-linux here`;

export interface TerminalProcess {
  readonly child: ChildProcess;
  /** All that was on the screen, escape sequences included, with `␛` for ESC and no carriage returns before line feeds. */
  screen(): string;
  type(keys: string): void;
  /** What came since the last wait, up to and with the match. */
  waitFor(label: string, pattern: RegExp): Promise<string>;
  exited(): Promise<number | null>;
}

/** The `serve-model` command in a terminal of 100 columns and 30 rows. */
export function runInTerminal(argv: readonly string[], env: Readonly<Record<string, string>>): TerminalProcess {
  const words = [process.execPath, commandPath, ...argv].map((word) => `'${word.replaceAll("'", "'\\''")}'`);
  const line = `stty cols 100 rows 30; exec ${words.join(' ')}`;
  const child = spawn(program, ['-qfec', line, '/dev/null'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, TERM: 'xterm-256color', NO_COLOR: '', ...env },
  });
  let screen = '';
  let seen = 0;
  let grew = () => {};
  const grow = () => new Promise<void>((done) => (grew = done));
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    screen = (screen + text).replaceAll('\x1b', '␛').replaceAll('\r\n', '\n');
    grew();
  });
  const exit = new Promise<number | null>((done) => child.once('close', done));
  const find = async (pattern: RegExp): Promise<string> => {
    for (;;) {
      const found = pattern.exec(screen.slice(seen));
      if (found) {
        const text = screen.slice(seen, seen + found.index + found[0].length);
        seen += text.length;
        return text;
      }
      await Promise.race([grow(), exit.then((code) => Promise.reject(new Error(`it ended with ${code}: ${screen}`)))]);
    }
  };
  return {
    child,
    screen: () => screen,
    type: (keys) => child.stdin.write(keys),
    waitFor: (label, pattern) =>
      withDeadline(label, find(pattern)).catch((error: Error) => {
        throw new Error(`${error.message}; the screen: ${JSON.stringify(screen.slice(seen))}`);
      }),
    exited: () => withDeadline('the exit', exit),
  };
}
