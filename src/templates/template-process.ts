import { fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import type { FromTemplates, ToTemplates } from './protocol.ts';

/** A process that renders, as the server sees it. */
export interface TemplateProcess {
  /** Nothing happens when it is gone. */
  send(message: ToTemplates): void;
  /** While it works the server must not end for want of anything else to do. */
  hold(held: boolean): void;
  /** Bytes that it has in memory; undefined where the system does not tell. */
  memory(): Promise<number | undefined>;
  kill(): void;
  /** What it said last, when it has ended. */
  readonly gone: Promise<string>;
}

export type StartProcess = (onMessage: (message: FromTemplates) => void) => TemplateProcess;

/** Characters. */
const longestWords = 2000;
/** Of JavaScript; what llama.cpp's engine takes besides is watched from outside. */
const heapMegabytes = 1024;

/** `entry`: the compiled file that calls `serveTemplates`. */
export function templateProcess(entry: string): StartProcess {
  return (onMessage) => {
    const child = fork(entry, [], {
      serialization: 'advanced',
      // The server's own flags are not the child's: --inspect would want the same port.
      execArgv: [`--max-old-space-size=${heapMegabytes}`],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    let words = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      words = (words + text).slice(0, longestWords);
    });
    child.on('message', (message: unknown) => {
      if (isAnswer(message)) onMessage(message);
    });
    const gone = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('exit', () => resolve(words.trim()));
    });
    const hold = (held: boolean) => {
      for (const handle of [child, child.channel]) held ? handle?.ref() : handle?.unref();
    };
    if (child.stderr && 'unref' in child.stderr && typeof child.stderr.unref === 'function') child.stderr.unref();
    hold(false);
    return {
      send(message) {
        if (child.connected) child.send(message, () => undefined);
      },
      hold,
      memory: () => residentBytes(child.pid),
      kill: () => void child.kill('SIGKILL'),
      gone,
    };
  };
}

function isAnswer(message: unknown): message is FromTemplates {
  return typeof message === 'object' && message !== null && ('id' in message || 'ready' in message);
}

async function residentBytes(processId: number | undefined): Promise<number | undefined> {
  const status = await readFile(`/proc/${processId}/status`, 'utf8').catch(() => undefined);
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}
