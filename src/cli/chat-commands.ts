import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Connection } from '../client/connection.ts';
import { type OperandCommand, packageVersion } from '../config.ts';
import { ServeError } from '../contract/errors.ts';
import { printable } from '../contract/printable.ts';
import { Chat } from '../terminal/chat.ts';
import { chatFiles } from '../terminal/chat-files.ts';
import { addToHistory, readHistory } from '../terminal/history.ts';
import { createLineEditor } from '../terminal/line-editor.ts';
import { createPaint } from '../terminal/paint.ts';
import { answerOnce } from '../terminal/single-answer.ts';
import { completions } from '../terminal/slash-commands.ts';
import { openChatServer } from './chat-server.ts';
import type { Terminal } from './terminal.ts';

type ChatCommand = Extract<OperandCommand, { readonly command: 'run' | 'chat' }>;

/** `serve-model run MODEL [PROMPT]` and `serve-model chat [PROMPT]`. */
export async function runChatCommand(parsed: ChatCommand, terminal: Terminal): Promise<void> {
  const { operands, config } = parsed;
  const [model, words] = parsed.command === 'run' ? [operands[0], operands.slice(1)] : [undefined, operands];
  const { stdin, stdout } = process;
  const given = words.join(' ');
  const talks = given === '' && stdin.isTTY && stdout.isTTY;
  const prompt = talks ? '' : await wholePrompt(given);
  const server = await openChatServer(model, config, terminal);
  try {
    if (talks) await talk(server, config.dataFolder);
    else await answer({ ...server, prompt });
  } finally {
    await server.close();
  }
}

interface Asked {
  readonly connection: Connection;
  readonly model: string | undefined;
}

/** What stands on the command line, and below it what comes through a pipe. */
async function wholePrompt(given: string): Promise<string> {
  const piped = process.stdin.isTTY && given !== '' ? '' : await readAll(process.stdin);
  const prompt = [given, piped.trimEnd()].filter((part) => part !== '').join('\n\n');
  if (prompt !== '') return prompt;
  throw new ServeError(
    'invalid_request',
    'Nothing was asked: standard input is empty. Write serve-model run MODEL "..."',
  );
}

async function readAll(stream: NodeJS.ReadableStream): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of stream) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString('utf8');
}

async function answer({ connection, model, prompt }: Asked & { readonly prompt: string }): Promise<void> {
  const { stdout } = process;
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort(new ServeError('cancelled', 'Stopped.')));
  stdout.once('error', () => stop.abort(new ServeError('cancelled', 'Nobody reads the answer any more.')));
  await answerOnce({
    connection,
    model,
    prompt,
    write: (text) => void stdout.write(text),
    colours: showsColours(),
    watched: stdout.isTTY === true,
    signal: stop.signal,
  });
}

async function talk({ connection, model }: Asked, dataFolder: string): Promise<void> {
  const { stdin, stdout } = process;
  const colours = showsColours();
  const write = (text: string) => void stdout.write(text);
  const historyPath = join(dataFolder, 'terminal-history');
  let showThought = () => {};
  const editor = createLineEditor({
    keyboard: stdin,
    screen: stdout,
    history: await readHistory(historyPath),
    remember: (line) => void addToHistory(historyPath, line),
    complete: completions,
    onThoughts: () => showThought(),
  });
  const greeting = `serve-model ${packageVersion()}, ${printable(model ?? connection.url)}. /help tells what there is.`;
  write(`${createPaint(colours).dim(greeting)}\n`);
  try {
    const sessionId = `terminal-${randomUUID()}`;
    const chat = new Chat({ connection, model, editor, write, colours, files: chatFiles, sessionId });
    showThought = chat.showThought;
    await chat.run();
  } finally {
    editor.close();
  }
}

function showsColours(): boolean {
  const { NO_COLOR = '', TERM } = process.env;
  return process.stdout.isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
}
