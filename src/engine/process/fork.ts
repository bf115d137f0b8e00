import { fork } from 'node:child_process';
import { createDeferred } from '../../contract/deferred.ts';
import { ServeError } from '../../contract/errors.ts';
import type { FromChild, ToChild } from './protocol.ts';

/** The parent's end of the channel. */
export interface EngineChild {
  /** Nothing happens when the process is gone. */
  send(message: ToChild): void;
  kill(): void;
  /** Settles when the process has ended, whatever the reason: engine_failure, with what it said last as its cause. */
  readonly gone: Promise<ServeError>;
}

/** Characters. */
const longestWords = 4000;
const lastWordsMs = 500;

/** What the engine's process runs. */
export interface ChildProgram {
  /** The compiled file, see serveEngine. */
  readonly entry: string;
  /** Its environment; undefined: this process's own. */
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts the engine's process. */
export function forkEngine({ entry, env }: ChildProgram, onMessage: (message: FromChild) => void): EngineChild {
  const child = fork(entry, [], {
    env,
    serialization: 'advanced',
    // The server's own flags are not the engine's: --inspect would want the same port.
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  const gone = createDeferred<ServeError>();
  let words = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    words = (words + text).slice(0, longestWords);
  });
  child.on('message', (message: unknown) => {
    if (isFromChild(message)) onMessage(message);
  });
  child.once('error', (cause) => gone.resolve(failure('could not be started', cause)));
  child.once('exit', (code, signal) => {
    const tell = () => gone.resolve(failure(`ended (${signal ?? `code ${code}`})`, words.trim()));
    // Its last words may still be on their way; a debugger that it started may hold the pipe open.
    const timer = setTimeout(tell, lastWordsMs);
    child.once('close', () => {
      clearTimeout(timer);
      tell();
    });
  });
  return {
    send(message) {
      // What was on its way to a process that died is answered by `gone`.
      if (child.connected) child.send(message, () => undefined);
    },
    kill: () => void child.kill('SIGKILL'),
    gone: gone.promise,
  };
}

function failure(what: string, cause: unknown): ServeError {
  return new ServeError('engine_failure', `The process of the model ${what}.`, {}, cause === '' ? {} : { cause });
}

const types: Readonly<Record<FromChild['type'], true>> = {
  progress: true,
  calibrate: true,
  opened: true,
  'weights-loaded': true,
  loaded: true,
  'load-failed': true,
  step: true,
  answer: true,
  refusal: true,
  failed: true,
  ended: true,
};

/** Both ends are of one version: the type says the rest. */
function isFromChild(message: unknown): message is FromChild {
  return typeof message === 'object' && message !== null && 'type' in message && `${message.type}` in types;
}
